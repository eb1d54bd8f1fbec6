/* The API reference in the page's own colours. */
(function () {
  "use strict";
  var holder = document.querySelector("[data-schema]");
  var docs = document.createElement("rapi-doc");

  function hex(name) {
    var canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    var probe = document.createElement("span");
    probe.style.color = "var(" + name + ")";
    document.body.append(probe);
    canvas.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    canvas.fillRect(0, 0, 1, 1);
    return "#" + Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)).map(function (part) {
      return part.toString(16).padStart(2, "0");
    }).join("");
  }

  function dress() {
    docs.setAttribute("theme", window.BrokerOS.theme.dark() ? "dark" : "light");
    docs.setAttribute("bg-color", hex("--bo-surface"));
    docs.setAttribute("text-color", hex("--bo-text"));
    docs.setAttribute("primary-color", hex("--bo-primary"));
    docs.setAttribute("nav-bg-color", hex("--bo-bg"));
    docs.setAttribute("nav-text-color", hex("--bo-text"));
    docs.setAttribute("nav-accent-color", hex("--bo-primary"));
  }

  var settings = {
    "render-style": "focused", "show-header": "false", "allow-authentication": "false", "allow-server-selection": "false",
    "allow-spec-url-load": "false", "allow-spec-file-load": "false", "load-fonts": "false", "regular-font": "Inter, system-ui, sans-serif",
    "mono-font": "ui-monospace, Menlo, Consolas, monospace", "font-size": "default", "schema-style": "table", "show-method-in-nav-bar": "as-colored-block",
    "use-path-in-nav-bar": "true", "fetch-credentials": "same-origin", "nav-item-spacing": "compact", "show-components": "false"
  };
  Object.keys(settings).forEach(function (name) { docs.setAttribute(name, settings[name]); });
  dress();
  /* a request tried here is the signed-in person's own, so it carries the page's token */
  docs.addEventListener("before-try", function (event) {
    event.detail.request.headers.append("X-CSRFToken", document.querySelector("meta[name='csrf-token']").content);
  });
  docs.setAttribute("spec-url", holder.dataset.schema);
  holder.append(docs);
  document.addEventListener("brokeros:theme", dress);
})();
