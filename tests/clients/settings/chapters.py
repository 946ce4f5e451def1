"""The calls, a chapter for each topic. Each chapter starts with a fresh service in an empty folder.

Where our service is meant to differ from the original, a step says what it answers instead (`ours`) and `why`.
"""
import dataclasses

from dbus_fast import Variant

ITEM = "com.victronenergy.BusItem"
SETTINGS = "com.victronenergy.Settings"


@dataclasses.dataclass
class Step:
    kind: str
    call: tuple = ()
    ours: dict | None = None
    why: str = ""


@dataclasses.dataclass
class Chapter:
    name: str
    steps: list
    files: dict = dataclasses.field(default_factory=dict)


def differs(why, step, ours):
    return dataclasses.replace(step, ours=ours, why=why)


def call(path, interface, member, signature="", *args):
    return Step("call", (path, interface, member, signature, *args))


def get(path, member="GetValue"):
    return call(path, ITEM, member)


def write(path, value):
    return call(path, ITEM, "SetValue", "v", value)


def write_as_platform(path, value):
    """As dbus-send under the name of the one program that may write the security profile."""
    return Step("platform", (path, "SetValue", "variant:int32:%d" % value))


def add(group, *definitions):
    return call(group, SETTINGS, "AddSettings", "aa{sv}", list(definitions))


def setting(path, default, **more):
    return {"path": s(path), "default": default, **more}


def add_one(object_path, group, name, default, kind, low=0, high=0, silent=False):
    member = "AddSilentSetting" if silent else "AddSetting"
    low, high = ({int: i, float: d, str: s}[type(limit)](limit) for limit in (low, high))
    return call(object_path, SETTINGS, member, "ssvsvv", group, name, default, kind, low, high)


def remove(group, *paths):
    return call(group, SETTINGS, "RemoveSettings", "as", list(paths))


def everything(path):
    names = ["GetValue", "GetText", "GetMin", "GetMax", "GetDefault"]
    return [get(path, name) for name in names] + [call(path, SETTINGS, "GetSilent"), call(path, SETTINGS, "GetAttributes")]


# What our service answers where it differs.

def code(number):
    return {"reply": [["i", number]]}


def results(*entries):
    """Of AddSettings: (path, error) or (path, 0, value)."""
    made = []
    for path, error, *value in entries:
        made.append(["a{sv}", {"error": ["i", error], "path": ["s", path], **({"value": value[0]} if value else {})}])
    return {"reply": [["aa{sv}", made]]}


def told(path, value, text, **attributes):
    """PropertiesChanged."""
    properties = {**attributes, "Text": ["s", text], "Value": value}
    return [path, "PropertiesChanged", [["a{sv}", dict(sorted(properties.items()))]]]


def added(path, value, text, low=("i", 0), high=("i", 0)):
    return told(path, value, text, Default=value, Max=list(high), Min=list(low))


def of_type(signature):
    return lambda value: Variant(signature, value)


s, i, x, d, b, u, y, o, n, q, t = map(of_type, "sixdbuyonqt")
INTS, NOTHING = of_type("ai"), Variant("ai", [])
RESTART = Step("restart")
FILE = Step("file")
# After it both programs have written the file.
CHANGE = add("/Settings", setting("Changed", i(1)))

CHAPTERS = [
    Chapter("an empty store", [
        get("/"), get("/", "GetText"), get("/", "GetItems"), get("/Settings"), get("/Settings/Devices"),
        get("/Settings", "GetItems"), get("/Nowhere"), get("/Settings/Nothing"), get("/", "NoSuchMethod"),
        call("/Settings", ITEM, "SetDefault"), CHANGE, remove("/", "/Settings/Changed"), FILE,
    ]),
    Chapter("AddSettings on any group", [
        add("/", setting("/Settings/Root", i(5)), setting("Settings/NoSlash", i(5)), setting("/Elsewhere/A", i(5)),
            setting("/Settings", i(5)), setting("/SettingsX/A", i(1))),
        add("/Settings", setting("A/B/Int", i(7)), setting("/A/B/Float", d(2.5)), setting("A/Text", s("words"))),
        add("/Settings/A", setting("B/Late", x(9)), setting("/B/Slash", i(1))),
        add("/Settings/A/B/Int", setting("Below", i(7))),
        add("/Settings/Missing", setting("Below", i(7))),
        add("/Settings"),
        get("/"), get("/Settings"), get("/Settings/A"), get("/Settings/A", "GetText"), get("/Settings/A/B", "GetValue"),
        get("/", "GetItems"), get("/", "GetText"),
        FILE,
    ]),
    Chapter("types of the default", [
        add("/Settings", setting("I", i(1)), setting("X", x(1)), setting("D", d(1.5)), setting("S", s("1"))),
        add("/Settings", setting("B", b(True))), add("/Settings", setting("U", u(1))),
        add("/Settings", setting("Y", y(1))), add("/Settings", setting("O", o("/a"))),
        add("/Settings", setting("Q", q(1))), add("/Settings", setting("N", n(1))),
        add("/Settings", setting("T", t(1))), add("/Settings", setting("A", INTS([1]))),
        add("/Settings", setting("E", NOTHING)),
        add("/Settings", {"path": s("NoDefault")}), add("/Settings", {"default": i(1)}), add("/Settings", {}),
        add("/Settings", {"path": i(3), "default": i(1)}), add("/Settings", {"path": i(0), "default": i(1)}),
        add("/Settings", {"path": NOTHING, "default": i(1)}),
        add("/Settings", {"path": s("Unknown"), "default": i(1), "more": s("ignored")}),
        get("/", "GetItems"),
    ]),
    Chapter("AddSetting and AddSilentSetting", [
        add_one("/Settings", "G", "Int", i(5), "i", 0, 10), *everything("/Settings/G/Int"),
        add_one("/Settings", "/G", "/Sub/Float", d(5), "f", 0.0, 10.0, silent=True), *everything("/Settings/G/Sub/Float"),
        add_one("/Settings", "", "Bare", s("text"), "s", "", ""), *everything("/Settings/Bare"),
        add_one("/Settings", "G", "Text", i(5), "s"), *everything("/Settings/G/Text"),
        add_one("/Settings", "G", "FloatText", d(5), "s"), get("/Settings/G/FloatText"),
        add_one("/Settings", "G", "Parsed", s("12"), "i"), get("/Settings/G/Parsed"),
        add_one("/Settings", "G", "ParsedFloat", s("1.5"), "f"), get("/Settings/G/ParsedFloat"),
        add_one("/Settings", "G", "Cut", d(5.7), "i"), get("/Settings/G/Cut"),
        add_one("/Settings", "G", "Flag", b(True), "i"), get("/Settings/G/Flag"),
        add_one("/Settings", "G", "Unsigned", u(7), "i"), get("/Settings/G/Unsigned"),
        add_one("/Settings", "G", "Bad", s("twelve"), "i"), add_one("/Settings", "G", "Bad", NOTHING, "f"),
        add_one("/Settings", "G", "Bad", i(1), "b"), add_one("/Settings", "G", "Bad", i(1), ""),
        add_one("/Settings/G", "", "Here", i(1), "i"), add_one("/Settings/G", "Sub", "Here", i(1), "i"),
        add_one("/", "Settings", "FromRoot", i(1), "i"), add_one("/", "Other", "FromRoot", i(1), "i"),
        add_one("/", "", "FromRoot", i(1), "i"), add_one("/", "/Settings/Deep", "FromRoot", i(1), "i"),
        get("/", "GetItems"), FILE,
    ]),
    Chapter("error codes", [
        add("/Settings", setting("Int", i(5), min=i(0), max=i(10)), setting("G/A", i(5))),
        add("/Settings", setting("A/_b", i(1)), setting("A/_b/C", i(1)), setting("/_a", i(1))),
        add_one("/Settings", "_g", "S", i(1), "i"), add_one("/Settings", "g", "_S", i(1), "i"),
        add("/Settings", setting("Int", d(5.0))), add("/Settings", setting("Int", s("5"))),
        add_one("/Settings", "", "Int", d(5), "f"),
        add("/Settings", setting("Low", i(-1), min=i(0), max=i(10)), setting("High", i(11), min=i(0), max=i(10)),
            setting("FloatLow", d(-0.5), min=d(0), max=d(1)), setting("Int", i(11), min=i(0), max=i(10))),
        add("/Settings", setting("G", i(1))), add("/Settings", setting("Devices", i(1))),
        # Several wrong things at once: which one is told.
        add("/", setting("/_x", b(True))), add("/", setting("/_x", i(20), max=i(10))),
        add("/", setting("/Elsewhere", i(20), min=i(0), max=i(10))),
        add("/", setting("/Settings/G", i(20), min=i(0), max=i(10))), add("/Settings", setting("Int", d(20), max=d(10))),
        get("/", "GetItems"),
    ]),
    Chapter("limits", [
        add("/Settings", setting("I", i(5), min=i(0), max=i(10)), setting("F", d(0.5), min=d(0), max=d(1)),
            setting("None", i(5), min=i(0), max=i(0)), setting("FloatNone", d(5), min=d(0), max=d(0)),
            setting("OnlyMin", i(5), min=i(2)), setting("OnlyMax", i(5), max=i(9)), setting("MinZero", i(5), min=i(0)),
            setting("S", s("m"), min=s("a"), max=s("z")), setting("Cut", i(5), min=d(2.9), max=d(7.9)),
            setting("Widened", d(5), min=i(2), max=i(7)), setting("Words", i(5), min=s("low"), max=s("7")),
            setting("Swapped", i(5), min=i(9), max=i(1))),
        *everything("/Settings/I"), *everything("/Settings/F"), *everything("/Settings/None"), *everything("/Settings/FloatNone"),
        *everything("/Settings/OnlyMin"), *everything("/Settings/OnlyMax"), *everything("/Settings/MinZero"), *everything("/Settings/S"),
        *everything("/Settings/Cut"), *everything("/Settings/Widened"), *everything("/Settings/Words"),
        write("/Settings/I", i(11)), write("/Settings/I", i(-1)), write("/Settings/I", i(10)), write("/Settings/I", i(0)),
        write("/Settings/F", d(1.01)), write("/Settings/F", i(1)), write("/Settings/F", d(-0.01)),
        write("/Settings/None", i(-99999)), write("/Settings/FloatNone", d(1e20)),
        write("/Settings/OnlyMin", i(1)), write("/Settings/OnlyMin", i(1000000)),
        write("/Settings/OnlyMax", i(10)), write("/Settings/OnlyMax", i(-1000000)),
        write("/Settings/S", s("zzz")), write("/Settings/S", s("A")), write("/Settings/S", s("")),
        get("/", "GetItems"), FILE,
    ]),
    Chapter("writing", [
        add("/Settings", setting("I", i(1)), setting("F", d(1)), setting("S", s("one")), setting("M", i(1), silent=b(True))),
        write("/Settings/I", i(2)), write("/Settings/I", i(2)), write("/Settings/I", s("5")), write("/Settings/I", s(" 6 ")),
        write("/Settings/I", s("+7")), write("/Settings/I", s("-8")), write("/Settings/I", d(5.7)),
        write("/Settings/I", d(-5.7)), write("/Settings/I", b(True)), write("/Settings/I", u(9)),
        write("/Settings/I", y(66)), write("/Settings/I", s("5.7")), write("/Settings/I", s("")),
        write("/Settings/I", s("0x10")), write("/Settings/I", NOTHING),
        write("/Settings/I", INTS([3])), write("/Settings/I", d(float("nan"))),
        write("/Settings/I", d(float("inf"))), get("/Settings/I"),
        write("/Settings/F", i(3)), write("/Settings/F", s("2.5")), write("/Settings/F", s("1e3")),
        write("/Settings/F", s("two")), write("/Settings/F", b(False)), write("/Settings/F", NOTHING),
        write("/Settings/F", d(0.1)), write("/Settings/F", d(1e16)), write("/Settings/F", d(1e15)),
        write("/Settings/F", d(123456789012345680.0)), write("/Settings/F", d(1e-4)), write("/Settings/F", d(1.5e-5)),
        write("/Settings/F", d(-0.0)), write("/Settings/F", d(0.0)), write("/Settings/F", d(1e300)),
        get("/Settings/F", "GetText"),
        write("/Settings/S", s("two words")), write("/Settings/S", i(5)), write("/Settings/S", d(2)),
        write("/Settings/S", b(True)), write("/Settings/S", s("")), get("/Settings/S"), get("/Settings/S", "GetText"),
        write("/Settings/S", s("<a> & \"b\" 'c' \u20ac \U0001f50b\ttab\nline ")),
        write("/Settings/M", i(2)),
        call("/Settings/I", ITEM, "SetValue", "ai", []),
        call("/Settings/I", ITEM, "SetValue", "i", 4), call("/Settings/I", ITEM, "SetValue"),
        write("/Settings", i(1)), write("/Settings/Nowhere", i(1)),
        get("/", "GetItems"), FILE,
    ]),
    Chapter("integers beyond 32 bits", [
        add("/Settings", setting("X", x(5), min=x(0), max=x(1 << 41))), *everything("/Settings/X"),
        write("/Settings/X", x(0x7fffffff)), get("/Settings/X"), get("/", "GetItems"), FILE,
    ]),
    Chapter("what is there keeps its value", [
        add("/Settings", setting("I", i(5), min=i(0), max=i(10)), setting("S", s("one"))),
        write("/Settings/I", i(7)), write("/Settings/S", s("two")),
        add("/Settings", setting("I", i(5), min=i(0), max=i(10))),
        add("/Settings", setting("I", i(6), min=i(0), max=i(10))), *everything("/Settings/I"),
        add("/Settings", setting("I", i(6), min=i(1), max=i(6))), *everything("/Settings/I"),
        write("/Settings/I", i(7)), write("/Settings/I", i(8)), write("/Settings/I", i(4)),
        add("/Settings", setting("I", i(6))), *everything("/Settings/I"),
        add("/Settings", setting("I", i(6), silent=i(1))), *everything("/Settings/I"),
        add("/Settings", setting("I", i(6), silent=s("false"))), add("/Settings", setting("I", i(6), silent=s(""))),
        add("/Settings", setting("I", i(6), silent=NOTHING)), add("/Settings", setting("I", i(6), silent=i(0))),
        call("/Settings/I", SETTINGS, "GetSilent"),
        add("/Settings", setting("S", s("three"))), *everything("/Settings/S"),
        add_one("/Settings", "", "I", i(9), "i", 0, 20), add_one("/Settings", "", "I", i(9), "i", 0, 20, silent=True),
        *everything("/Settings/I"),
        add("/Settings", setting("Twice", i(1)), setting("Twice", i(2), min=i(0), max=i(5))),
        get("/", "GetItems"), FILE,
    ]),
    Chapter("SetDefault", [
        add("/Settings", setting("G/I", i(5), min=i(0), max=i(10)), setting("G/S", s("one"))),
        write("/Settings/G/I", i(7)), write("/Settings/G/S", s("two")),
        call("/Settings/G/I", ITEM, "SetDefault"), call("/Settings/G/I", ITEM, "SetDefault"), get("/Settings/G/I"),
        call("/Settings/G/S", ITEM, "SetDefault"), get("/Settings/G/S"),
    ]),
    Chapter("removing", [
        add("/Settings", setting("G/A", i(5)), setting("G/B", i(5)), setting("G/H/C", s("x")), setting("D", d(1))),
        remove("/Settings", "G/A", "G/Nothing", "/G/B", "G/A"), get("/Settings/G/A"), get("/Settings/G"),
        remove("/Settings", "G"), remove("/Settings", "G/H/C"), get("/Settings/G"), get("/Settings/G/H"), get("/Settings/G/H/C"),
        remove("/", "/Settings/D"), remove("/", "Settings/D"), remove("/Settings"), remove("/Settings", "Devices"),
        remove("/Settings", ""), remove("/Settings", "a//b"), get("/Settings"),
        add("/Settings", setting("G", i(1)), setting("D", s("now text"))), get("/", "GetItems"),
        remove("/", "/Settings/G", "Settings/D"), get("/", "GetItems"), FILE,
    ]),
    Chapter("ClassAndVrmInstance", [
        add("/Settings/Devices", setting("a/ClassAndVrmInstance", s("battery:1")),
            setting("b/ClassAndVrmInstance", s("battery:1")), setting("c/ClassAndVrmInstance", s("grid:1")),
            setting("d/ClassAndVrmInstance", s("battery:2"))),
        add("/", setting("/Settings/Devices/e/ClassAndVrmInstance", s("battery:1"))),
        add_one("/Settings/Devices", "f", "ClassAndVrmInstance", s("battery:1"), "s", "", ""),
        get("/Settings/Devices/f/ClassAndVrmInstance"),
        add("/Settings/Devices", setting("a/ClassAndVrmInstance", s("battery:1"))),
        add("/Settings/Devices", setting("a/ClassAndVrmInstance", s("battery:7"))), *everything(
            "/Settings/Devices/a/ClassAndVrmInstance"),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("battery:1")),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("battery:9")),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("grid:1")),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("grid:007")),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("grid: 8 ")),
        write("/Settings/Devices/b/ClassAndVrmInstance", s("grid:-3")),
        *[write("/Settings/Devices/b/ClassAndVrmInstance", v) for v in (
            s("grid"), s("grid:"), s("grid:x"), s("a:b:1"), s(""), i(5), s("grid:1.5"), NOTHING)],
        write("/Settings/Devices/b/ClassAndVrmInstance", s(":1")),
        get("/Settings/Devices/b/ClassAndVrmInstance"),
        add("/Settings/Devices", setting("a/ClassAndVrmInstance", i(5))),
        remove("/Settings/Devices", "a/ClassAndVrmInstance"),
        add("/Settings/Devices", setting("h/ClassAndVrmInstance", s("battery:1"))),
        # Only directly below a device is it special, but it counts wherever it is.
        add("/Settings/Devices", setting("i/sub/ClassAndVrmInstance", s("pump:1"))),
        add("/Settings/Devices", setting("j/ClassAndVrmInstance", s("pump:1"))),
        add("/Settings/Devices", setting("i/sub/ClassAndVrmInstance", s("pump")),
            setting("ClassAndVrmInstance", s("tank:1"))),
        add("/Settings/Devices", setting("k/ClassAndVrmInstance", s("tank:1"))),
        add("/Settings", setting("Else/ClassAndVrmInstance", s("valve"))),
        get("/", "GetItems"), RESTART, get("/", "GetItems"),
        add("/Settings/Devices", setting("b/ClassAndVrmInstance", s("battery:1")),
            setting("l/ClassAndVrmInstance", s("battery:1"))), FILE,
    ]),
    Chapter("SecurityProfile", [
        add("/Settings", setting("System/SecurityProfile", i(3), min=i(0), max=i(3))),
        write("/Settings/System/SecurityProfile", i(0)), write("/Settings/System/SecurityProfile", i(3)),
        write("/Settings/System/SecurityProfile", s("x")), get("/Settings/System/SecurityProfile"),
        write_as_platform("/Settings/System/SecurityProfile", 1), get("/Settings/System/SecurityProfile"),
        write_as_platform("/Settings/System/SecurityProfile", 4), get("/Settings/System/SecurityProfile"),
        add("/Settings", setting("System/SecurityProfile", i(2), min=i(0), max=i(3))),
        add("/Settings", setting("Elsewhere/SecurityProfile", i(3))), write("/Settings/Elsewhere/SecurityProfile", i(0)),
        remove("/Settings", "System/SecurityProfile"),
    ]),
    Chapter("the file", [
        add("/Settings", setting("b/0start", i(1)), setting("1st/x", d(2.5), min=d(0), max=d(10)), setting("B/Z", s("")),
            setting("B/A", s("default"), silent=i(1)), setting("a_b/c_d", i(1)),
            setting("99", i(1)), setting("Neg", i(-5), min=i(-10), max=i(-1))),
        write("/Settings/B/A", s("<x a='1' b=\"2\">&amp; \u20ac\U0001f50b</x>")),
        add("/Settings", setting("Lines", s("a\nb\tc\r\"d' <&>"))),
        add("/Settings", setting("Blank", s("   ")), setting("Padded", s("  x  "))),
        add("/Settings/Devices", setting("0dev/ClassAndVrmInstance", s("battery:5")), setting("0dev/CustomName", s("x"))),
        RESTART, get("/", "GetItems"), write("/Settings/99", i(2)), FILE,
    ]),
    Chapter("a file of another hand", [
        get("/", "GetItems"), *everything("/Settings/Bare"), call("/Settings/Bare", ITEM, "SetDefault"),
        call("/Settings/Silent/A", SETTINGS, "GetSilent"), call("/Settings/Silent/B", SETTINGS, "GetSilent"),
        call("/Settings/Silent/C", SETTINGS, "GetSilent"), write("/Settings/Bare", i(8)), FILE,
    ], files={"settings.xml": """<?xml version="1.0"?>
<!-- by hand -->
<Settings version="19" unique-id="">
<Bare type="i">5</Bare>
<Text type="s" default="&#10;c&quot;">&lt;d&#33;<![CDATA[<e>]]></Text>
<Silent><A type="i" silent="True">1</A><B type="i" silent="1">1</B><C type="i" silent="no">1</C></Silent>
<_1st><_2nd type="f" default="2">  2.5 </_2nd></_1st>
</Settings>
"""}),
    Chapter("a broken file", [get("/", "GetItems"), CHANGE, FILE], files={"settings.xml": "<Settings version=\"19\"><A type="}),
    Chapter("an empty file", [get("/", "GetItems"), CHANGE, FILE], files={"settings.xml": ""}),
    Chapter("an import from the same device", [get("/", "GetItems"), CHANGE, FILE], files={
        "settings.xml": "<Settings version='19' unique-id=''><Old type='i'>1</Old></Settings>",
        "settings.xml.import": "<Settings version='19' unique-id=''><New type='i'>1</New>"
                               "<Devices><a><ClassAndVrmInstance type='s'>battery:3</ClassAndVrmInstance></a></Devices></Settings>"}),
    Chapter("an import from another device", [get("/", "GetItems"), CHANGE, FILE], files={
        "settings.xml.import": "<Settings version='19' unique-id='0123456789ab'><New type='i'>1</New>"
                               "<Devices><a><ClassAndVrmInstance type='s'>battery:3</ClassAndVrmInstance></a></Devices>"
                               "<CanBms><X type='i'>1</X></CanBms><Fronius><InverterIds type='s'>a</InverterIds>"
                               "<Inverters><A type='i'>1</A></Inverters><Port type='i'>80</Port></Fronius>"
                               "<Victron><Products><P type='i'>1</P></Products><Keep type='i'>1</Keep></Victron></Settings>"}),
    Chapter("a broken import", [get("/", "GetItems"), CHANGE, FILE], files={
        "settings.xml": "<Settings version='19' unique-id=''><Old type='i'>1</Old></Settings>",
        "settings.xml.import": "<Settings version='19'>"}),

    # Where we mean to differ.
    Chapter("differs: paths that no object can have", [
        differs("one bad path is an error of its entry, not an exception that leaves the rest of the call undone",
                add("/Settings", setting("Good/Before", i(1)), setting("a//b", i(1)), setting("Good/After", i(1))),
                {**results(("Good/Before", 0, ["i", 1]), ("a//b", -4), ("Good/After", 0, ["i", 1])),
                 "signals": [added("/Settings/Good/After", ["i", 1], "1"), added("/Settings/Good/Before", ["i", 1], "1")]}),
        *[differs("the same", add("/Settings", setting(path, i(1))), results((path, -4)))
          for path in ("", "/", "slash/", "a-b", "a b", "gr\u00f6\u00dfe", "Good/Before/Below")],
        differs("the same", add_one("/Settings", "a", "b-c", i(1), "i"), code(-4)),
        differs("the same", add_one("/Settings", "a", "", i(1), "i"), code(-4)),
        differs("_ is refused in front of the first step too: it would not survive the file",
                add("/Settings", setting("_first", i(1))), results(("_first", -2))),
        differs("a path of another type is told as text", add("/Settings", {"path": o("/P"), "default": i(1)}), results(("/P", -4))),
    ]),
    Chapter("differs: values that cannot be kept", [
        add("/Settings", setting("I", i(1)), setting("F", d(1)), setting("S", s("one"))),
        differs("a Python spelling", write("/Settings/I", s("1_000")), code(-1)),
        differs("beyond 64 bits: refused, not kept and unreadable from then on", write("/Settings/I", d(1e30)), code(-1)),
        differs("the same", write("/Settings/I", s("99999999999999999999")), code(-1)),
        differs("the same", get("/Settings/I"), {"reply": [["i", 1]]}),
        differs("not finite: JSON has no word for it", write("/Settings/F", s("inf")), code(-1)),
        differs("the same", write("/Settings/F", d(float("-inf"))), code(-1)),
        differs("the same", write("/Settings/F", s("nan")), code(-1)),
        differs("an infinite limit, as systemcalc has some, is none",
                add("/Settings", setting("Gauge", d(0), min=d(float("-inf")), max=d(0)), setting("Other", d(0), min=d(0), max=d(float("inf")))),
                {**results(("Gauge", 0, ["d", 0.0]), ("Other", 0, ["d", 0.0])),
                 "signals": [added("/Settings/Gauge", ["d", 0.0], "0.0", high=("d", 0.0)),
                             added("/Settings/Other", ["d", 0.0], "0.0", low=("d", 0.0))]}),
        differs("no value is no text", write("/Settings/S", NOTHING), code(-1)),
        differs("a list is no text", write("/Settings/S", INTS([1])), code(-1)),
        differs("a character that XML cannot hold: the original can save nothing any more", write("/Settings/S", s("\u0007")), code(-1)),
    ]),
    Chapter("differs: integers beyond 32 bits", [
        differs("they are told as x; the original keeps them, but its signal and answer are an exception",
                add("/Settings", setting("X", x(1 << 40))),
                {**results(("X", 0, ["x", 1 << 40])), "signals": [added("/Settings/X", ["x", 1 << 40], str(1 << 40))]}),
        differs("the same", write("/Settings/X", x(0x80000000)),
                {**code(0), "signals": [told("/Settings/X", ["x", 0x80000000], "2147483648")]}),
        get("/Settings/X"),
        differs("the same", write("/Settings/X", x(-(1 << 31) - 1)),
                {**code(0), "signals": [told("/Settings/X", ["x", -(1 << 31) - 1], "-2147483649")]}),
        differs("the same", get("/Settings/X"), {"reply": [["x", -(1 << 31) - 1]]}),
    ]),
    Chapter("differs: SetDefault on a group", [
        add("/Settings", setting("G/I", i(5)), setting("G/H/S", s("one")), setting("Other", i(1)),
            setting("System/SecurityProfile", i(3)), setting("Devices/a/ClassAndVrmInstance", s("battery:1"))),
        write("/Settings/G/I", i(7)), write("/Settings/G/H/S", s("two")), write("/Settings/Other", i(2)),
        write("/Settings/Devices/a/ClassAndVrmInstance", s("battery:5")),
        differs("it resets what is below; the original raises an exception", call("/Settings/G", ITEM, "SetDefault"),
                {**code(0), "signals": [told("/Settings/G/H/S", ["s", "one"], "one"), told("/Settings/G/I", ["i", 5], "5")]}),
        differs("the same", call("/", ITEM, "SetDefault"), {**code(0), "signals": [told("/Settings/Other", ["i", 1], "1")]}),
        differs("the same", call("/Settings/Devices/a/ClassAndVrmInstance", ITEM, "SetDefault"), code(-1)),
        get("/Settings/Devices/a/ClassAndVrmInstance"),
        add("/Settings", setting("System/SecurityProfile", i(2))),
        differs("what is refused is not told to be done", call("/Settings/System/SecurityProfile", ITEM, "SetDefault"), code(-1)),
        get("/Settings/System/SecurityProfile"),
    ]),
    Chapter("differs: ClassAndVrmInstance without a number", [
        add("/Settings/Devices", setting("a/ClassAndVrmInstance", s("battery:1"))),
        differs("nothing is told of a setting that never was",
                add("/Settings/Devices", setting("g/ClassAndVrmInstance", s("battery"))), results(("g/ClassAndVrmInstance", -6))),
        differs("the same", add("/Settings/Devices", setting("g/ClassAndVrmInstance", i(5))), results(("g/ClassAndVrmInstance", -6))),
        get("/Settings/Devices/g"),
        differs("no value beside an error", add("/Settings/Devices", setting("a/ClassAndVrmInstance", s("wrong"))),
                results(("a/ClassAndVrmInstance", -6))),
        differs("beyond 32 bits no DeviceInstance is possible", write("/Settings/Devices/a/ClassAndVrmInstance", s("battery:4294967296")),
                code(-1)),
    ]),
    Chapter("differs: limits in a file", [
        differs("zero and zero are no limits, wherever they come from", write("/Settings/Zero", i(5)),
                {**code(0), "signals": [told("/Settings/Zero", ["i", 5], "5")]}),
        differs("a text has no limits, wherever they come from", write("/Settings/Text", s("zz")),
                {**code(0), "signals": [told("/Settings/Text", ["s", "zz"], "zz")]}),
        differs("the same", get("/Settings/Text", "GetMin"), {"reply": [["i", 0]]}),
    ], files={"settings.xml": "<Settings version='19' unique-id=''><Zero type='i' min='0' max='0' default='1'>1</Zero>"
                              "<Text type='s' min='a' max='m' default='c'>c</Text></Settings>"}),
    Chapter("differs: what a file should not have", [
        differs("an unreadable value takes its default", get("/Settings/Default"), {"reply": [["i", 7]]}),
        get("/Settings/Lost"), get("/Settings/Kind"), get("/Settings/Good"),
        differs("a group with nothing in it is none", get("/Settings/Empty"), {"error": ""}),
        differs("of two devices with one number the first that asks moves on",
                add("/Settings/Devices", setting("b/ClassAndVrmInstance", s("battery:1"))),
                {**results(("b/ClassAndVrmInstance", 0, ["s", "battery:2"])),
                 "signals": [told("/Settings/Devices/b/ClassAndVrmInstance", ["s", "battery:2"], "battery:2", Default=["s", "battery:1"])]}),
    ], files={"settings.xml": "<Settings version='19' unique-id=''><Default type='i' default='7'>seven</Default>"
                              "<Lost type='i'>seven</Lost><Kind type='b'>1</Kind><Good type='i'>1</Good><Empty/><Devices>"
                              "<a><ClassAndVrmInstance type='s' default='battery:1'>battery:1</ClassAndVrmInstance></a>"
                              "<b><ClassAndVrmInstance type='s' default='battery:1'>battery:1</ClassAndVrmInstance></b>"
                              "</Devices></Settings>"}),
    Chapter("differs: a file of an older version", [
        get("/", "GetItems"), CHANGE,
        differs("the version is kept, so that a GX device migrates the file when it comes back",
                FILE, {"file": """<?xml version='1.0' encoding='UTF-8'?>
<Settings version="18" unique-id="">
  <Changed type="i" default="1" silent="False">1</Changed>
  <Devices>
    <x>
      <ClassAndVrmInstance type="s" default="battery:1" silent="False">battery:3</ClassAndVrmInstance>
    </x>
  </Devices>
</Settings>
"""}),
    ], files={"settings.xml": """<?xml version='1.0' encoding='UTF-8'?>
<Settings version="18" unique-id="0123456789ab">
  <Devices>
    <x>
      <ClassAndVrmInstance type="s" default="battery:1" silent="False">battery:3</ClassAndVrmInstance>
    </x>
  </Devices>
</Settings>
"""}),
]
