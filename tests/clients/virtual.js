// A service made with dbus-victron-virtual, on the bus of DBUS_SESSION_BUS_ADDRESS: virtual.js NAME '{"Soc": 54.5}'
// Prints "published" when everything is there. Its items can be changed with SetValue.
const dbus = require("dbus-native-victron");
const { addVictronInterfaces } = require("dbus-victron-virtual");

const [name, text] = process.argv.slice(2);
const values = JSON.parse(text);
const properties = Object.fromEntries(
  Object.entries(values).map(([path, value]) => [path, { type: typeof value === "string" ? "s" : "d" }]),
);

const bus = dbus.sessionBus();
bus.requestName(name, 0x4, (error, result) => {
  if (error || result !== 1) {
    console.error(`${name} is not to be had: ${error ?? result}`);
    process.exit(1);
  }
  // As in the package's own example: the name comes first, the items a moment later.
  addVictronInterfaces(bus, { name, properties }, values);
  console.log("published");
});
process.on("SIGTERM", () => process.exit(0));
