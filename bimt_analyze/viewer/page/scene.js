// The picture: a camera, the worker's bitmap of edges and neurons, and on top of it modules, names and the selection.
const MARGIN = 0.2; // of the picture's size, that the bitmap reaches beyond each side, so that moving uncovers little
const MOST_BRIGHT = 300; // edges to and from a selected neuron that stand out
const RIMMED = 2.4; // radius in pixels from which neurons have a rim

function scene(net, state, links) {
  const canvas = document.getElementById("picture"), pen = canvas.getContext("2d");
  const worker = new Worker(URL.createObjectURL(new Blob([document.getElementById("raster").textContent])));
  const count = about.labels.length, closed = new Uint8Array(count);
  const camera = { yaw: 0, pitch: 0, scale: 1, left: 0, top: 0 };
  let bitmap = null, waiting = null, asked = 0, busy = false, due = false, settling = 0; // of the worker
  let between = [], size = [1, 1], fits = 1, crowd = 1;
  const largest = Math.max(...about.modules.map(one => one.size)), top = net.level.reduce((a, b) => Math.max(a, b), 0);
  const heaviest = (net.film_weight ?? net.weight.subarray(0, 1)).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  const send = (...names) => worker.postMessage({ net: Object.fromEntries(names.map(name => [name, net[name]])) });
  const MOVING = ["source", "target", "weight", "x", "y", "z"];
  worker.postMessage({ net: { heaviest } });
  send("level", "module", ...MOVING);

  const dense = () => Math.min(2, devicePixelRatio || 1);
  const axes = () => {
    const cy = Math.cos(camera.yaw), sy = Math.sin(camera.yaw), cp = Math.cos(camera.pitch), sp = Math.sin(camera.pitch);
    return [cy, -sy, -sy * sp, -cy * sp, -cp];
  };
  const project = (x, y, z) => {
    const [ux, uy, vx, vy, vz] = axes();
    return [camera.left + camera.scale * (ux * x + uy * y), camera.top + camera.scale * (vx * x + vy * y + vz * z)];
  };
  const neuronAt = i => project(net.x[i], net.y[i], net.z[i]);
  const moduleAt = m => project(...net.centres.subarray(3 * m, 3 * m + 3));
  const standsAt = i => closed[i] ? moduleAt(net.module[i]) : neuronAt(i);
  const ballRadius = m => crowd * (11 + 17 * Math.sqrt(about.modules[m].size / largest))
    * Math.min(1.6, Math.max(0.6, Math.sqrt(camera.scale / fits)));
  const balls = () => about.modules.map((_, m) => m).filter(m => !state.open.has(m) && about.modules[m].hidden);
  const dotRadius = () => Math.min(6.5, Math.max(0.9, 0.28 * net.spacing[0] * camera.scale));

  function fit() {
    [camera.scale, camera.left, camera.top] = [1, 0, 0];
    let [x0, x1, y0, y1] = [1e9, -1e9, 1e9, -1e9];
    const reach = ([x, y]) => {
      x0 = Math.min(x0, x); x1 = Math.max(x1, x); y0 = Math.min(y0, y); y1 = Math.max(y1, y);
    };
    for (let i = 0; i < count; i++) reach(neuronAt(i));
    const centres = balls().map(moduleAt); // which may stand apart from their neurons
    centres.forEach(reach);
    const near = Math.min(...centres.slice(0, 300).flatMap(([x, y], m) =>
      centres.slice(m + 1, 300).map(([u, v]) => Math.hypot(x - u, y - v))));
    const [width, height] = size, sides = Math.min(110, 0.14 * width);
    const scale = Math.min((width - 2 * sides) / Math.max(0.2, x1 - x0), (height - 150) / Math.max(0.2, y1 - y0));
    Object.assign(camera, { scale, left: (width - scale * (x0 + x1)) / 2, top: (height - 20 - scale * (y0 + y1)) / 2 });
    fits = scale;
    crowd = Math.min(1, Math.max(0.45, near * scale / 56)); // 56 pixels: the widest ball
    moved();
  }

  // Ask the worker for a bitmap: of as many edges as a moment allows while the picture turns, else of all.
  function ask(hurried) {
    const [width, height] = size, d = hurried ? 1 : dense(), margin = hurried ? 0 : MARGIN;
    const [mx, my] = [margin * width, margin * height];
    const colour = COLOURINGS[state.colour](net), colours = new Uint32Array(count), known = new Map();
    for (let i = 0; i < count; i++) {
      const hex = colour(i);
      if (!known.has(hex)) known.set(hex, pixel(hex));
      colours[i] = known.get(hex);
    }
    busy = hurried; due = false; // an exact picture may be broken off
    worker.postMessage({ number: ++asked, hurried, dense: d,
      width: Math.ceil((width + 2 * mx) * d), height: Math.ceil((height + 2 * my) * d),
      projection: [...axes(), camera.scale * d, (camera.left + mx) * d, (camera.top + my) * d],
      closed, centres: net.centres, shown: state.shown, colours, radius: dotRadius() * d, rimmed: RIMMED * d,
      above: pixel(css("above")), below: pixel(css("below")), rim: pixel(css("ink")) });
    waiting = { ...camera, mx, my, width: width + 2 * mx, height: height + 2 * my };
  }
  worker.onmessage = ({ data }) => {
    if (data.number !== asked) return;
    bitmap?.image.close();
    bitmap = { image: data.bitmap, ...waiting };
    busy = false;
    canvas.dataset.pictures = 1 + Number(canvas.dataset.pictures || 0);
    if (data.whole) say(data);
    if (due) ask(true);
    soon();
  };
  function say({ drawn, milliseconds }) {
    const others = (state.shown - drawn).toLocaleString("en");
    document.getElementById("status").textContent = `${counted(drawn, "edge")} drawn`
      + (drawn < state.shown ? `, ${others} inside or between closed modules` : "");
    canvas.dataset.drawn = drawn;
    canvas.dataset.milliseconds = Math.round(milliseconds);
    canvas.dataset.still = asked;
  }

  // While the picture moves, its bitmap moves along; when it stands still, an exact one follows.
  function moved() {
    const turned = bitmap && (bitmap.yaw !== camera.yaw || bitmap.pitch !== camera.pitch);
    if (turned && !busy) ask(true);
    else due = !!turned;
    settle();
  }
  function settle() {
    clearTimeout(settling);
    settling = setTimeout(() => busy ? settle() : ask(false), 150);
    soon();
  }
  function changed() {
    for (let i = 0; i < count; i++) closed[i] = !net.end[i] && !state.open.has(net.module[i]) ? 1 : 0;
    between = bundles(net, closed, state.shown);
    if (busy) due = true; else ask(true);
    settle();
  }
  const renewed = () => { send(...MOVING); changed(); }; // what a film shows is another network
  let frame = 0;
  const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; paint(); }); };

  function paint() {
    const d = dense(), [width, height] = size;
    pen.setTransform(d, 0, 0, d, 0, 0);
    pen.clearRect(0, 0, width, height);
    const own = state.selected?.neuron;
    pen.globalAlpha = own === undefined ? 1 : 0.3;
    if (bitmap) {
      const k = camera.scale / bitmap.scale;
      pen.drawImage(bitmap.image, camera.left - k * (bitmap.mx + bitmap.left), camera.top - k * (bitmap.my + bitmap.top),
        k * bitmap.width, k * bitmap.height);
    }
    paintModules();
    pen.globalAlpha = 1;
    if (own !== undefined) paintNeuron(own);
    paintNames();
    canvas.dataset.camera = JSON.stringify(camera);
    if (bitmap) canvas.dataset.first ||= Math.round(performance.now()); // milliseconds since the page was asked for
  }

  function paintModules() {
    const ink = css("ink"), muted = css("muted");
    for (const { from, to, share } of between) {
      const [x0, y0] = moduleAt(from), [x1, y1] = moduleAt(to);
      pen.strokeStyle = muted; pen.lineWidth = 0.7 + 9 * share;
      pen.beginPath(); pen.moveTo(x0, y0);
      pen.quadraticCurveTo((x0 + x1) / 2 + 0.12 * (y1 - y0), (y0 + y1) / 2 - 0.12 * (x1 - x0), x1, y1);
      pen.stroke();
    }
    pen.textAlign = "center"; pen.textBaseline = "middle";
    for (const m of balls()) {
      const [x, y] = moduleAt(m), radius = ballRadius(m), module = about.modules[m];
      const chosen = state.selected?.module === m;
      pen.fillStyle = module.colour || muted;
      pen.strokeStyle = chosen ? css("accent") : ink; pen.lineWidth = chosen ? 4 : 1.2;
      pen.beginPath(); pen.arc(x, y, radius, 0, 7); pen.fill(); pen.stroke();
      pen.fillStyle = "#101216"; pen.font = `600 ${Math.min(15, radius * 0.9)}px system-ui, sans-serif`;
      pen.fillText(module.name.replace(/^module /, "").slice(0, 6), x, y);
    }
  }

  function paintNeuron(neuron) {
    const [above, below, accent, ink] = ["above", "below", "accent", "ink"].map(css);
    const edges = [...links.read(neuron).subarray(0, MOST_BRIGHT), ...links.sent(neuron).subarray(0, MOST_BRIGHT)]
      .filter(edge => edge < state.shown);
    const most = Math.max(...edges.map(edge => Math.abs(net.weight[edge])), 1e-30);
    for (const edge of edges.reverse()) {
      const other = net.source[edge] === neuron ? net.target[edge] : net.source[edge];
      const share = Math.abs(net.weight[edge]) / most;
      pen.strokeStyle = net.weight[edge] < 0 ? below : above;
      pen.lineWidth = 0.7 + 3 * share; pen.globalAlpha = 0.35 + 0.65 * share;
      pen.beginPath(); pen.moveTo(...neuronAt(neuron)); pen.lineTo(...standsAt(other)); pen.stroke();
    }
    pen.globalAlpha = 1;
    const colour = COLOURINGS[state.colour](net), ends = edges.flatMap(edge => [net.source[edge], net.target[edge]]);
    for (const i of new Set([...ends.filter(i => !closed[i] && i !== neuron), neuron])) {
      const own = i === neuron;
      pen.fillStyle = colour(i); pen.strokeStyle = own ? accent : ink; pen.lineWidth = own ? 3 : 1;
      pen.beginPath(); pen.arc(...neuronAt(i), dotRadius() + (own ? 2.5 : 0.5), 0, 7); pen.fill();
      if (own || dotRadius() > RIMMED) pen.stroke();
    }
  }

  // Names of layers, and of as many neurons as have room beside the dots.
  function paintNames() {
    const taken = new Set(), [width, height] = size, own = state.selected?.neuron;
    pen.font = "12px system-ui, sans-serif"; pen.textBaseline = "middle";
    const cells = (x0, x1, y0, y1) => {
      const found = [];
      for (let c = Math.floor(x0 / 6); c <= x1 / 6; c++)
        for (let r = Math.floor(y0 / 6); r <= y1 / 6; r++) found.push(c * 4096 + r);
      return found;
    };
    const write = (text, x, y, align) => {
      const wide = pen.measureText(text).width, from = x - wide * { left: 0, center: 0.5, right: 1 }[align];
      if (from < 2 || from + wide > width || y < 0 || y > height) return false;
      const own = cells(from, from + wide, y - 5, y + 5);
      if (own.some(cell => taken.has(cell))) return false;
      for (const cell of own) taken.add(cell);
      pen.textAlign = align; pen.fillText(text, x, y);
      return true;
    };
    const radius = dotRadius(), away = radius + 11, room = net.spacing[0] * camera.scale > 11, seen = [];
    for (let i = 0; room && i < count && seen.length < 3000; i++) {
      const [x, y] = neuronAt(i);
      if (closed[i] || x < 0 || y < 0 || x > width || y > height) continue;
      seen.push(i);
      for (const cell of cells(x - radius, x + radius, y - radius, y + radius)) taken.add(cell);
    }
    pen.fillStyle = css("muted");
    const closing = balls();
    about.groups.forEach((group, g) => {
      const [x, y] = neuronAt(net.leftmost[g]);
      const near = closing.filter(m => Math.abs(moduleAt(m)[1] - y) < ballRadius(m) + 6);
      write(group, Math.min(x - 20, ...near.map(m => moduleAt(m)[0] - ballRadius(m) - 8)), y, "right");
    });
    pen.fillStyle = css("ink");
    for (const i of own === undefined ? seen : [own, ...seen]) {
      const [x, y] = neuronAt(i), label = about.labels[i];
      const inside = [[away - 4, 0], [0, away], [0, -away]];
      const places = net.level[i] === 0 ? [[0, away]] : net.level[i] === top ? [[0, -away]] : inside;
      places.some(([dx, dy]) => write(label, x + dx, y + dy, dx ? "left" : "center"));
    }
  }

  // What lies under the pointer: a neuron that stands open, or a closed module.
  function under(x, y) {
    for (const m of balls()) {
      const [mx, my] = moduleAt(m);
      if (Math.hypot(mx - x, my - y) < ballRadius(m)) return { module: m };
    }
    let best = Math.max(8, dotRadius() + 2), found = null;
    const [ux, uy, vx, vy, vz] = axes();
    for (let i = 0; i < count; i++) {
      if (closed[i]) continue;
      const across = camera.left + camera.scale * (ux * net.x[i] + uy * net.y[i]);
      const down = camera.top + camera.scale * (vx * net.x[i] + vy * net.y[i] + vz * net.z[i]);
      const away = Math.hypot(across - x, down - y);
      if (away < best) [best, found] = [away, { neuron: i }];
    }
    return found;
  }
  function zoom(by, x = size[0] / 2, y = size[1] / 2) {
    by = Math.min(400 * fits, Math.max(fits / 8, camera.scale * by)) / camera.scale;
    Object.assign(camera, { scale: camera.scale * by, left: x + by * (camera.left - x), top: y + by * (camera.top - y) });
    moved();
  }
  function pan(dx, dy) { camera.left += dx; camera.top += dy; moved(); }
  function turn(dx, dy) { // about the middle of the picture's floor, which is 0 in space
    camera.yaw += 0.008 * dx;
    camera.pitch = Math.min(Math.PI / 2, Math.max(-0.3, camera.pitch + 0.008 * dy));
    moved();
  }
  function front() { Object.assign(camera, about.planar ? { yaw: -0.42, pitch: 0.5 } : { yaw: 0, pitch: 0 }); fit(); }
  new ResizeObserver(() => {
    const box = canvas.parentElement.getBoundingClientRect(), d = dense(), first = size[0] === 1;
    size = [box.width, box.height];
    canvas.width = Math.round(box.width * d); canvas.height = Math.round(box.height * d);
    if (first || !state.touched) front(); else moved();
    paint();
  }).observe(canvas.parentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  return { canvas, changed, renewed, soon, under, zoom, pan, turn, front };
}
