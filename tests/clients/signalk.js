// What the Venus plug-in of Signal K makes of the services on the bus of DBUS_SESSION_BUS_ADDRESS: one line of JSON for
// each value that it reports, with the service, the path and the value. It asks for the root of each service when it
// appears, and hears the changes.
const { DbusListener } = require("signalk-venus-plugin/dist/dbus-listener");

const server = {
  debug() {},
  error: (text) => console.error(text),
  setPluginStatus() {},
  setPluginError: (text) => console.error(text),
};

function report({ senderName, path, value }) {
  // The plug-in hands on the empty array of an invalid item as it is.
  const plain = Array.isArray(value) && value.length === 0 ? null : value;
  console.log(JSON.stringify({ service: senderName, path, value: plain }));
}

new DbusListener(server, report, undefined, undefined, { pollInterval: 3600 });
process.on("SIGTERM", () => process.exit(0));
