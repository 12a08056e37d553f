// Before the first paint, so that a chosen theme never flashes in the other one's colours.
(() => {
  let theme = 'auto';
  try {
    theme = localStorage.getItem('lapse-theme') || 'auto';
  } catch {
    // Storage is denied: the system's theme it is.
  }
  document.documentElement.dataset.theme = theme;
})();
