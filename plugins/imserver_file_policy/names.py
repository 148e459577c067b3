"""What the name of a file says that it is, however it is dressed up."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: What looks like a dot, and is none for those who open files by their extension.
_DOTS: Final = str.maketrans(dict.fromkeys("。｡․．﹒·•‧⋅∙۔܁܂。ꓸ𐩐", "."))
#: What turns the direction of writing: `photo_[U+202E]gpj.exe` is shown as `photo_exe.jpg`.
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: An extension, as those who open files know them; `v1.2 final` has none.
_EXTENSION: Final = re.compile(r"[^\s.]{1,16}")

_DANGEROUS: Final = """
    ace action ade adp apk app appimage appinstaller application appref-ms appx asp aspx bas bash bat bin cab chm
    class cmd com command cpl crx deb desktop diagcab dll dmg docm dotm drv elf exe gadget hta htm html htt img inf
    ini ins iqy iso isp jar jnlp job jpi js jse jsp ksh lnk mde mht mhtml msc msh msi msix msp mst nsh ocx one osx
    out php pif pkg pl potm ppam ppsm pptm ps1 ps1xml ps2 psc1 psd1 psm1 py pyc pyw pyz rb reg rpm run scf scpt scr
    sct sh shb shs shtml sldm slk so svg svgz swf sys url vb vbe vbs vhd vhdx vxd wasm website workflow ws wsc wsf
    wsh xbap xhtml xht xlam xll xlsb xlsm xltm xsl zsh
"""
#: What runs when somebody opens it, or shows what a stranger wrote as if it were ours.
DANGEROUS: Final = frozenset(_DANGEROUS.split())

_PROGRAMS: Final = "apk bat cmd dll docm exe hta jar jse lnk msi pptm ps1 scr vbe vbs wsf xlsm"
#: Nobody calls a harmless file so by accident; `com`, on the other hand, ends many a name of a web site.
PROGRAMS: Final = frozenset(_PROGRAMS.split())


def extension(name: str) -> str:
    """Read the extension, in small letters; `""` if there is none."""
    return next(iter(reversed(extensions(name))), "")


def extensions(name: str) -> list[str]:
    """List what could be taken for an extension, in order: `tar` and `gz` of `a.tar.gz`."""
    parts = [part.strip() for part in _plain(name).strip(". ").split(".")[1:]]
    return [part for part in parts if _EXTENSION.fullmatch(part)]


def is_misleading(name: str) -> bool:
    """Tell whether people would read another extension than computers do."""
    return _TURNING.search(name) is not None or extension(name) != _as_computers_do(name)


def hidden(name: str) -> str:
    """Find a program's extension that stands before the last: `exe` of `invoice.exe.pdf`; `""` if there is none."""
    return next((one for one in extensions(name)[:-1] if one in PROGRAMS), "")


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name.translate(_DOTS)).translate(_DOTS).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter) not in ("Cc", "Cf"))


def _as_computers_do(name: str) -> str:
    rest, dot, last = name.rstrip(". ").rpartition(".")
    return last.strip().casefold() if dot and rest else ""
