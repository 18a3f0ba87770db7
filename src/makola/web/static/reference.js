// Marks the operation that is being read in the contents, and folds the contents on a small screen.

const fold = document.querySelector(".contents__fold");
const small = matchMedia("(max-width: 960px)");
const adapt = () => { fold.open = !small.matches; };
small.addEventListener("change", adapt);
adapt();
fold.addEventListener("click", (event) => {
  if (small.matches && event.target.closest("a")) fold.open = false;
});

const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
const seen = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const id = entry.target.getAttribute("aria-labelledby");
    if (entry.isIntersecting) seen.add(id); else seen.delete(id);
  }
  const first = [...links.keys()].find((id) => seen.has(id));
  for (const [id, link] of links) link.classList.toggle("here", id === first);
}, { rootMargin: "-80px 0px -60% 0px" });
for (const article of document.querySelectorAll(".operation")) observer.observe(article);
