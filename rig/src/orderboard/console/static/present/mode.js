// Presenter mode: large type for a room. /?present enters it and /?present=off leaves it; the tab keeps it on all pages.

const asked = new URLSearchParams(location.search).get("present");
if (asked !== null) sessionStorage.setItem("present", asked === "off" ? "off" : "on");
export const presenting = sessionStorage.getItem("present") === "on";
if (presenting) {
  document.documentElement.dataset.present = "";
  const leave = document.createElement("a");
  leave.href = "/?present=off";
  leave.className = "leave";
  leave.textContent = "Leave";
  leave.setAttribute("aria-label", "Leave presenter mode");
  document.getElementById("theme").before(leave);
}
