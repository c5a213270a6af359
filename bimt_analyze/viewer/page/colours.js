// Colours as the worker writes them into pixels (blue, green, red), and as the page does.
const css = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const parts = hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
const pixel = hex => { const [red, green, blue] = parts(hex); return (blue << 16) | (green << 8) | red; };
const mixed = (from, to, share) => "#" + parts(from).map((part, i) =>
  Math.round(part + share * (parts(to)[i] - part)).toString(16).padStart(2, "0")).join("");

// The colour of each neuron by what the reader chose.
const COLOURINGS = {
  module: net => { const own = about.modules.map(one => one.colour || css("muted")); return i => own[net.module[i]]; },
  layer: net => i => about.palette[net.group[i] % about.palette.length],
  effect: net => {
    const most = net.effect.reduce((a, b) => Math.max(a, b), 0) || 1, pale = css("pale"), hot = css("hot");
    return i => net.effect[i] < 0 ? pale : mixed(pale, hot, Math.sqrt(net.effect[i] / most));
  },
};

function legend(state, net) {
  const entry = (mark, text) => `<li>${mark}${text}</li>`;
  const dot = colour => `<span class="dot" style="background:${colour}"></span>`;
  const neurons = {
    module: () => "",
    layer: () => about.groups.slice(0, 12)
      .map((name, g) => entry(dot(about.palette[g % about.palette.length]), escaped(name))).join(""),
    effect: () => entry('<span class="ramp"></span>', "no effect to greatest"),
  }[state.colour]();
  return neurons + entry('<span class="stroke"></span>', "weight above 0")
    + entry('<span class="stroke below"></span>', "below 0");
}

const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = text => text.replace(/[&<>"]/g, sign => SIGNS[sign]);
