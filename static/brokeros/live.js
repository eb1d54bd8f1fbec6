/* Live hints. BrokerOS.live("/ws/quotes/", onMessage, {state: element, onGap: fn}) keeps one
   socket open, waits longer after each failure, and calls onGap when a sequence number was
   missed or the socket had to be reopened: then the page re-reads, because hints may be lost. */
(function () {
  "use strict";
  var BrokerOS = (window.BrokerOS = window.BrokerOS || {});

  BrokerOS.live = function (path, onMessage, options) {
    options = options || {};
    var wait = 500;
    var socket = null;
    var last = null;
    var opened = 0;
    var closed = false;

    function show(state) {
      if (options.state) { options.state.dataset.live = state; }
      if (options.onState) { options.onState(state); }
    }

    function open() {
      if (closed) { return; }
      var scheme = location.protocol === "https:" ? "wss://" : "ws://";
      socket = new WebSocket(path.indexOf("ws") === 0 ? path : scheme + location.host + path);
      socket.onopen = function () {
        wait = 500;
        show("on");
        opened += 1;
        last = null;
        if (options.hello) { socket.send(JSON.stringify(options.hello)); }
        if (opened > 1 && options.onGap) { options.onGap(); }
      };
      socket.onmessage = function (event) {
        var message = JSON.parse(event.data);
        var sequence = message.seq;
        if (sequence !== undefined) {
          if (last !== null && sequence > last + 1 && options.onGap) { options.onGap(); }
          last = sequence;
        }
        onMessage(message);
      };
      socket.onclose = function () {
        show("off");
        setTimeout(open, wait * (0.75 + Math.random() / 2));
        wait = Math.min(wait * 2, 15000);
      };
    }

    open();
    return {
      send: function (value) { if (socket && socket.readyState === 1) { socket.send(JSON.stringify(value)); } },
      close: function () { closed = true; if (socket) { socket.onclose = null; socket.close(); } },
    };
  };
})();
