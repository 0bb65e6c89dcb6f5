// On to the pages in the reader's language; without JavaScript the links are there.
{
  const links = [...document.querySelectorAll("a[lang]")];
  const wanted = navigator.languages.map((language) => language.split("-")[0]);
  const found = wanted.map((code) => links.find((link) => link.lang === code)).find(Boolean);
  location.replace((found ?? links[0]).href);
}
