"""A browser in words, for the list of sessions. It is what the browser says of itself and proves nothing."""

import re

#: The first that fits: what others imitate comes last.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
             ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"))
_PROGRAM = re.compile(r"[A-Za-z][\w .-]{0,30}")


def device_of(user_agent: str) -> str:
    """Return such as `Firefox on Windows`; for what is no browser its own name."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    program = _PROGRAM.match(user_agent)
    return browser or system or (program.group().strip() if program else "Unknown device")
