// The contrast of every text that is shown, by WCAG's formula: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

const parse = (text) => {
  const [r, g, b, a = 1] = (text.match(/[0-9.]+/g) ?? [0, 0, 0, 0]).map(Number);
  return { r, g, b, a };
};
const channel = (c) => {
  const share = c / 255;
  return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};
const luminance = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);

// In the diagram a text stands on the last filled shape of its group that it lies in; elsewhere on a background.
function ground(element) {
  if (element instanceof SVGElement) {
    const { left, top } = element.getBoundingClientRect();
    const shapes = [...(element.closest("g:has(> rect)")?.querySelectorAll(":scope > rect") ?? [])].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.left <= left && left <= box.right && box.top <= top + 4 && top <= box.bottom;
    });
    const filled = shapes.map((each) => parse(getComputedStyle(each).fill)).filter((fill) => fill.a === 1);
    if (filled.length) return filled.at(-1);
  }
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.a === 1) return colour;
  }
  return { r: 255, g: 255, b: 255, a: 1 };
}

const speaks = (element) =>
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()) &&
  element.getClientRects().length > 0 && !element.closest("title, option, .unseen, .skip");

const found = {};
for (const element of [...document.querySelectorAll("body *")].filter(speaks)) {
  const style = getComputedStyle(element);
  const text = parse(element instanceof SVGElement ? style.fill : style.color);
  const [light, dark] = [luminance(text), luminance(ground(element))].sort((a, b) => b - a);
  const name = `${element.tagName}.${element.getAttribute("class") ?? ""} ${element.textContent.trim().slice(0, 30)}`;
  found[name] = Math.round(((light + 0.05) / (dark + 0.05)) * 100) / 100;
}
return found;
