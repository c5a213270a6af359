// A page opened from a folder may start no worker. There the theme's search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = Object.assign(document.createElement("iframe"), {hidden: true, title: "search"});
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", {data}));
      const script = Object.assign(frame.contentDocument.createElement("script"), {src: address});
      this.ready = new Promise(done => script.onload = done);
      frame.contentDocument.body.append(script);
    }
    async postMessage(data) {
      await this.ready;
      this.inside.dispatchEvent(new MessageEvent("message", {data}));
    }
  };
}
