// Runs before the first paint, so that a dark page never flashes white.
(() => {
  let looks = {};
  try {
    looks = JSON.parse(localStorage.getItem("pilothouse.settings") ?? "{}");
  } catch {
    // Private windows may forbid storage; the defaults are fine.
  }
  const root = document.documentElement;
  const dark =
    looks.theme === "dark" || (looks.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("dark", dark);
  if (looks.density === "compact") root.dataset.density = "compact";
  if (looks.motion === "off") root.dataset.motion = "off";
})();
