#!/usr/bin/env python3
"""Schedules against croniter: compare.py <cron_answers> [<questions> [<seed>]].

Random expressions and times in several zones are asked of Lapse (the program given, see
cron_answers.cc) and of croniter (Debian: python3-croniter), twice:

  by rule   croniter walks the local calendar, of which it is sure, and cron's own rules for changes
            of the clock are applied here to what it finds, with Python's zoneinfo. Lapse has to
            agree on every question.
  as it is  croniter is given the zone itself. Lapse has to agree, too, but for the differences
            named in DIFFERENCES, which are counted.

Exits 77, which CTest shows as skipped, without croniter.
"""

import collections
import datetime
import os
import random
import subprocess
import sys

try:
    import croniter as croniter_module
    from croniter import croniter
except ImportError:
    # This interpreter may not be the one that Debian's package serves.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3"] + sys.argv)
    print("skipped: no Python module croniter (Debian: python3-croniter)")
    sys.exit(77)
import zoneinfo

UTC = datetime.timezone.utc
# Changes of one hour in both hemispheres, of half an hour, at midnight, none, and odd offsets.
ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo",
         "America/St_Johns", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Asia/Beirut", "Africa/Cairo", "Pacific/Auckland"]
FIRST_YEAR, LAST_YEAR = 2005, 2036
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()

# Where croniter 1.3.5 is wrong or of another mind. The first three are mended here before Lapse is
# compared by rule; the others concern croniter with a zone alone.
DIFFERENCES = {
    "sunday": "in an expression with seconds croniter never finds the 7 of the last field",
    "short month": "from late in a short month, a list with a day that it lacks makes croniter "
                   "jump over the first days of the next month",
    "every day": "a list that names all days of the week or month, croniter takes for a star, so "
                 "that it does not restrict; cron goes by what is written",
    "skipped": "a fixed time that the change skips, which cron runs at once: croniter puts it "
               "elsewhere or leaves it out",
    "no match": "across a change, croniter names a local time that the expression does not",
    "too early": "croniter names a time that is not after the one asked about",
    "too late": "across a change, croniter passes over a time that the expression names",
}


# --- Questions -------------------------------------------------------------------------------

def item(dice, low, high, names):
    def value(n):
        return names[n - low] if names and n - low < len(names) and dice.random() < 0.4 else str(n)

    kind = dice.random()
    if kind < 0.5:
        return value(dice.randint(low, high))
    first = dice.randint(low, high - 1)
    last = dice.randint(first + 1, high)
    # A name stands for the Sunday at the start of the week.
    text = f"{value(first)}-{last}" if names is WEEKDAYS else f"{value(first)}-{value(last)}"
    if kind < 0.8:
        return text
    return f"{text}/{dice.randint(1, max(1, (high - low) // 2))}"


def field(dice, low, high, names=None, open_share=0.4):
    kind = dice.random()
    if kind < open_share:
        return "*"
    if kind < open_share + 0.15:
        return f"*/{dice.randint(1, max(2, (high - low) // 2))}"
    return ",".join(item(dice, low, high, names) for _ in range(dice.choice([1, 1, 1, 2, 3])))


def expression(dice):
    """In Lapse's order: the second first."""
    day = "L" if dice.random() < 0.05 else field(dice, 1, 31, None, 0.6)
    fields = [field(dice, 0, 59, None, 0.15), field(dice, 0, 23, None, 0.3), day,
              field(dice, 1, 12, MONTHS, 0.7), field(dice, 0, 7, WEEKDAYS, 0.7)]
    if dice.random() < 0.3:
        fields.insert(0, field(dice, 0, 59, None, 0.15))
    return " ".join(fields)


def changes_of(zone):
    """The instants at which the zone's offset changes, in seconds, found by halving."""
    def offset(second):
        return datetime.datetime.fromtimestamp(second, zone).utcoffset()

    found = []
    step = 86400 * 7
    start = int(datetime.datetime(FIRST_YEAR - 1, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime.datetime(LAST_YEAR + 30, 1, 1, tzinfo=UTC).timestamp())
    for low in range(start, end, step):
        high = low + step
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append(high)
    return found


def start_time(dice, changes):
    """Half of the time within a day and a half of a change."""
    near = [c for c in changes if FIRST_YEAR <= datetime.datetime.fromtimestamp(c, UTC).year
            <= LAST_YEAR]
    if near and dice.random() < 0.5:
        return dice.choice(near) + dice.randint(-36 * 3600, 36 * 3600)
    first = datetime.datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
    last = datetime.datetime(LAST_YEAR, 12, 31, tzinfo=UTC).timestamp()
    return dice.randint(int(first), int(last))


# --- croniter's answers ----------------------------------------------------------------------

def for_croniter(text):
    """The fields in croniter's order, and whether its days are either-or: by crontab(5) they are
    not when one of them starts with a star."""
    fields = text.split()
    if len(fields) == 6:
        fields = fields[1:] + fields[:1]
    return fields, not fields[2].startswith("*") and not fields[4].startswith("*")


class Never(Exception):
    pass


NEVER = datetime.datetime.max


def croniter_next(fields, either, start, kind):
    try:
        return croniter(" ".join(fields), start, day_or=either).get_next(kind)
    except croniter_module.CroniterBadDateError as error:
        raise Never from error


def local_or_never(fields, either, local):
    try:
        return croniter_next(fields, either, local, datetime.datetime)
    except Never:
        return NEVER


def values_of(field, low, high, names=()):
    """The numbers of a field that is not `*` alone; L is left out."""
    def number(text):
        return low + names.index(text) if text in names else int(text)

    found = set()
    for part in field.split(","):
        ends, _, step = part.partition("/")
        first, _, last = ends.partition("-")
        if first == "*":
            first, last = str(low), str(high)
        if first != "L":
            found.update(range(number(first), number(last or first) + 1, int(step or 1)))
    return found


def next_local(text, local, mended):
    """The first time of the expression strictly after a local one, as if no clock ever changed.
    Puts the names of croniter's mistakes that mattered into `mended`."""
    fields, either = for_croniter(text)
    found = local_or_never(fields, either, local)
    if len(fields) == 6 and "7" in fields[4]:
        days = {day % 7 for day in values_of(fields[4], 0, 7, WEEKDAYS)}
        fields[4] = ",".join(map(str, sorted(days))) if len(days) < 7 else "*"
        before, found = found, local_or_never(fields, either, local)
        if found != before:
            mended.add("sunday")
    week = values_of(fields[4], 0, 7, WEEKDAYS)
    days = set() if fields[2] == "*" else values_of(fields[2], 1, 31)
    if either and (len({day % 7 for day in week}) == 7 or len(days) == 31):
        before, found = found, local_or_never(fields[:2] + ["*", fields[3], "*"] + fields[5:],
                                              False, local)
        if found != before:
            mended.add("every day")
        days = set()
    if len(days) > 1 and max(days) > 28:
        # Of one day alone it is right.
        before = found
        found = min(local_or_never(fields[:2] + [str(day)] + fields[3:], either, local)
                    for day in sorted(days) + ["L"] * ("L" in fields[2]))
        if found != before:
            mended.add("short month")
    if found == NEVER:
        raise Never
    return found


def as_it_is(text, second, zone):
    fields, either = for_croniter(text)
    local = datetime.datetime.fromtimestamp(second, zone)
    return int(croniter_next(fields, either, local, float))


def is_rhythm(text):
    hour = text.split()[-4]
    return hour.startswith("*") or len(values_of(hour, 0, 23)) == 24


def offset_at(second, zone):
    return int(datetime.datetime.fromtimestamp(second, zone).utcoffset().total_seconds())


def wall(second, zone):
    return datetime.datetime.fromtimestamp(second, zone).replace(tzinfo=None, fold=0)


def instant_of(local, zone, changes):
    """A local time's first instant; of one that is skipped, the instant of the change."""
    first = int(local.replace(tzinfo=zone, fold=0).timestamp())
    if wall(first, zone) == local:
        return first
    return next(c for c in changes if abs(c - first) <= 86400 and
                wall(c - 1, zone) < local < wall(c, zone))


def by_rule(text, second, zone, changes, mended):
    if not is_rhythm(text):
        local = wall(second, zone)
        while True:
            local = next_local(text, local, mended)
            instant = instant_of(local, zone, changes)
            if instant > second:
                return instant
    while True:
        local = wall(second, zone)
        found = second + int((next_local(text, local, mended) - local).total_seconds())
        change = next((c for c in changes if c > second), None)
        if change is None or found < change:
            return found
        # From just before the change, on the clock as it is after it.
        local = wall(change, zone) - datetime.timedelta(seconds=1)
        if next_local(text, local, mended) == wall(change, zone):
            return change
        second = change


def name_of_difference(text, second, expected, theirs, zone, changes):
    """What croniter, given the zone, does otherwise, each verified; None: nothing excusable."""
    if not any(second - 86400 < c <= max(expected, theirs) for c in changes):
        return None
    if expected in changes and not is_rhythm(text):
        return "skipped"
    local = wall(theirs, zone)
    if next_local(text, local - datetime.timedelta(seconds=1), set()) != local:
        return "no match"
    if theirs > expected:
        return "too late"
    return "too early" if theirs <= second else None


# --- The comparison --------------------------------------------------------------------------

def questions(count, seed):
    dice = random.Random(seed)
    zones = {name: zoneinfo.ZoneInfo(name) for name in ZONES}
    changes = {name: changes_of(zone) for name, zone in zones.items()}
    for _ in range(count):
        name = dice.choice(ZONES)
        yield (start_time(dice, changes[name]), name, expression(dice), zones[name],
               changes[name])


def ask(program, asked):
    lines = "".join(f"{second * 1000} {name} {text}\n" for second, name, text, _, _ in asked)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True,
                          timeout=120)
    return done.stdout.splitlines()


def answer_or_never(function, *arguments):
    try:
        return function(*arguments) * 1000
    except Never:
        return "never"


def judge(question, answer, tally):
    """Returns what is wrong with Lapse's answer, or ""."""
    second, name, text, zone, changes = question
    mended = set()
    expected = answer_or_never(by_rule, text, second, zone, changes, mended)
    tally.update(mended)
    tally["never"] += expected == "never"
    asked = f"{text!r} in {name} after {second * 1000}: {answer}"
    if answer != str(expected):
        return f"by rule: {asked}, not {expected}"
    theirs = answer_or_never(as_it_is, text, second, zone)
    if mended or theirs == expected:
        return ""
    if "never" in (theirs, expected):
        return f"as it is: {asked}, croniter {theirs}"
    why = name_of_difference(text, second, expected // 1000, theirs // 1000, zone, changes)
    tally[why] += 1
    return "" if why else f"as it is: {asked}, croniter {theirs}"


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20260329
    asked = list(questions(count, seed))
    answers = ask(program, asked)
    assert len(answers) == count, f"{len(answers)} answers to {count} questions"

    tally = collections.Counter()
    wrong = [fault for question, answer in zip(asked, answers)
             if (fault := judge(question, answer, tally))]
    print(*wrong, sep="\n")
    print(f"{count} questions, seed {seed}; the answer to {tally['never']} is never. "
          "croniter differs, by name:")
    for why, meaning in DIFFERENCES.items():
        print(f"  {tally[why]:5}  {why}: {meaning}")
    print(f"{len(wrong)} disagreements" if wrong else "Lapse agrees with the rest")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
