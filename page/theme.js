// Before the first paint, so that no page flashes in the other colours. Not a module: modules run later.
{
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
