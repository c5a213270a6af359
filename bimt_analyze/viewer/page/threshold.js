// The slider that hides weak edges, and the loss without them; returns what counts anew.
const STEPS = 200;

// A place on the slider leaves so many of the strongest edges: evenly in the logarithm, all at 0.
function edgesAt(place, all) {
  if (place <= 0) return all;
  return place >= STEPS ? 0 : Math.round(Math.exp(Math.log(all + 1) * (1 - place / STEPS)) - 1);
}
const placeOf = (edges, all) => STEPS * (1 - Math.log(edges + 1) / Math.log(all + 1));

function threshold(net, state, act) {
  const slider = document.getElementById("threshold");
  const said = document.getElementById("cut"), { cuts } = about;
  const follow = cuts.length ? lossChart(net.weight.length) : () => {};
  const set = () => {
    const place = Number(slider.value), all = net.weight.length;
    state.shown = edgesAt(place, all);
    let text = `${counted(state.shown, "edge")} of ${all.toLocaleString("en")}`;
    if (state.shown) text += `, of at least ${short(Math.abs(net.weight[state.shown - 1]))}`;
    if (cuts.length) {
      const away = cut => Math.abs(placeOf(cut.edges, all) - place);
      const near = cuts.reduce((best, cut) => away(cut) < away(best) ? cut : best);
      const which = near.edges === state.shown ? "these" : `the strongest ${near.edges.toLocaleString("en")}`;
      text += `; ${about.loss} ${short(near.loss)} with ${which}, nothing trained afterwards`;
    }
    follow(place);
    said.textContent = `${text}.`;
    slider.setAttribute("aria-valuetext", text);
  };
  slider.addEventListener("input", () => { set(); act.changed(); });
  set();
  return set;
}

// The curve of the loss above the slider; returns what moves its mark along.
function lossChart(all) {
  const chart = document.getElementById("losses"), { cuts, loss } = about;
  const values = cuts.map(cut => Math.log(Math.max(cut.loss, 1e-12)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const points = cuts.map((cut, i) => [4 + 232 * placeOf(cut.edges, all) / STEPS,
    68 - 52 * (values[i] - low) / (high - low || 1)].map(value => value.toFixed(1)));
  const [first, last] = [cuts[0].loss, cuts.at(-1).loss];
  chart.innerHTML = `<path d="M${points.map(point => point.join(" ")).join("L")}"/>
    ${points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2"/>`).join("")}
    <line class="here" y1="14" y2="74"/><text x="4" y="9">${escaped(loss)}, logarithmic</text>
    <text x="4" y="83">${short(first)}</text><text x="236" y="83" text-anchor="end">${short(last)}</text>`;
  chart.setAttribute("aria-label", `The ${loss} against the number of edges kept: ${short(first)} with all ${all}, `
    + `${short(last)} with none.`);
  chart.removeAttribute("hidden");
  const mark = chart.querySelector(".here");
  return place => ["x1", "x2"].forEach(end => mark.setAttribute(end, 4 + 232 * place / STEPS));
}
