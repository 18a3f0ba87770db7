// The menu of whoever is signed in closes with Escape, and when something else is pressed or focused.

const menu = document.querySelector(".viewer");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
}
