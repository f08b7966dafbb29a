// The button that switches between the light and the dark theme. The browser remembers it for all pages of the console.

const button = document.getElementById("theme");

function theme(name) {
  document.documentElement.dataset.theme = name;
  button.setAttribute("aria-pressed", String(name === "dark"));
}
if (localStorage.getItem("theme")) theme(localStorage.getItem("theme"));
button.addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = dark === "dark" ? "light" : "dark";
  localStorage.setItem("theme", next);
  theme(next);
});
