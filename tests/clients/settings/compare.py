#!/usr/bin/env python3
"""Makes the calls of chapters.py on a settings service and compares what comes back with what the original answered.

  compare.py [--only CHAPTER] -- COMMAND ...             compares with expectations.json; exit code 1 and every difference
  compare.py --record -- COMMAND ...                     writes expectations.json, COMMAND being the original

`{folder}` in COMMAND is the folder for settings.xml. Needs dbus-fast, as ../python has it, dbus-daemon and dbus-send.
"""
import argparse
import asyncio
import json
import os
import sys

import chapters
import peer

EXPECTATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expectations.json")


async def play(bus, command, chapter):
    """The results of a chapter's steps, in order."""
    settings = peer.Settings(bus, command)
    try:
        for name, text in chapter.files.items():
            with open(os.path.join(settings.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        await settings.start()
        results = []
        for step in chapter.steps:
            results.append(await take(bus, settings, step))
        return results
    finally:
        settings.kill()
        bus.signals.clear()


async def take(bus, settings, step):
    if step.kind == "call":
        return await bus.call(*step.call)
    if step.kind == "platform":
        return await settings.call_as_platform(*step.call)
    settings.stop()
    if step.kind == "restart":
        await settings.start()
        return {}
    with open(settings.file, encoding="utf-8") as file:
        return {"file": file.read()}


def differences(chapter, results, expected):
    """One line for each result that is neither the original's nor one that is meant to differ."""
    if len(results) != len(expected):
        yield "%s: %d steps, but %d are expected: record again" % (chapter.name, len(results), len(expected))
        return
    for number, (step, result, original) in enumerate(zip(chapter.steps, results, expected)):
        if step.ours is None:
            # How an error is called is the D-Bus library's affair.
            if comparable(result) == comparable(original):
                continue
            wanted = original
        else:
            if comparable(step.ours) == comparable(original):
                yield "%s, step %d: the original does not differ: %s" % (chapter.name, number, original)
            if comparable(result) == comparable(step.ours):
                continue
            wanted = step.ours
        shown = " ".join([step.kind, *map(str, step.call[:3])])
        yield "%s, step %d, %s:\n  expected %s\n  got      %s" % (
            chapter.name, number, shown, json.dumps(wanted), json.dumps(result))


def comparable(result):
    return {**result, "error": True} if "error" in result else result


def record(results):
    """A line for each step, so that a change can be read."""
    chapters = ["%s: [\n%s\n ]" % (json.dumps(name), ",\n".join("  " + json.dumps(s, ensure_ascii=False) for s in steps))
                for name, steps in results.items()]
    with open(EXPECTATIONS, "w", encoding="utf-8") as file:
        file.write("{\n %s\n}\n" % ",\n ".join(chapters))


async def play_all(command, wanted):
    bus = await peer.Bus.start()
    try:
        return {chapter.name: await play(bus, command, chapter) for chapter in wanted}
    finally:
        bus.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--only", metavar="CHAPTER")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    wanted = [c for c in chapters.CHAPTERS if arguments.only in (None, c.name)]
    results = asyncio.run(play_all(arguments.command, wanted))
    if arguments.record:
        record(results)
        return 0
    with open(EXPECTATIONS, encoding="utf-8") as file:
        expected = json.load(file)
    found = [line for c in wanted for line in differences(c, results[c.name], expected.get(c.name, []))]
    print("\n".join(found + ["%d chapters, %d calls and files, %d differences" % (
        len(wanted), sum(len(c.steps) for c in wanted), len(found))]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
