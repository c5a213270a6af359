// Training as a film: each frame has edges and places of its own, which take the place of those that are shown.
const FRAME = 90; // milliseconds, while it plays

function film(net, act) {
  const frames = about.film, last = frames.length - 1, count = about.labels.length;
  if (last < 1) return;
  const slider = document.getElementById("frame"), play = document.getElementById("play");
  const said = document.getElementById("step");
  let shown = last, playing = 0;
  const show = frame => {
    const edges = [frames[frame].first, frames[frame + 1]?.first ?? net.film_weight.length];
    const places = [frame * count, (frame + 1) * count];
    for (const name of ["source", "target", "weight"]) net[name] = net[`film_${name}`].slice(...edges);
    for (const name of ["x", "y", "z"]) net[name] = net[`film_${name}`].slice(...places);
    net.leftmost = net.leftmost.map((_, g) => net.group.reduce((best, own, i) =>
      own === g && !(net.x[i] >= net.x[best]) ? i : best, -1));
    shown = frame;
    slider.value = frame;
    said.textContent = `Step ${frames[frame].step.toLocaleString("en")} of ${frames[last].step.toLocaleString("en")}`;
    slider.setAttribute("aria-valuetext", `step ${frames[frame].step}, ${counted(net.weight.length, "edge")}`);
    act.renewed();
  };
  const stop = () => { clearInterval(playing); playing = 0; play.textContent = "Play"; };
  const next = () => shown < last ? show(shown + 1) : stop();
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (playing) return stop();
    if (shown === last) show(0);
    playing = setInterval(next, FRAME);
    play.textContent = "Pause";
  });
  show(last);
}
