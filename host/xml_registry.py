"""The configuration of the switch: one XML tree, reloaded as a whole, and bindings that answer before it."""

from __future__ import annotations

import glob
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from host.log import LogLevel
from host.xml_directory import Directory
from host.xml_preprocess import (
    ConfigFiles,
    ExpandedXml,
    GlobalVariables,
    XmlConfigError,
    preprocess_file,
)
from host.xml_text import XmlTextError, named_child, parse_xml

# Bytes of one configuration file, and of what an `exec` prints. Generated directories reach some MB.
MAX_FILE = 64 << 20
SECTIONS = ("result", "config", "directory", "dialplan", "languages", "chatplan", "channels")

# (section, tag, key_name, key_value, params) -> XML text of a document, None when it has no answer.
BindingFunction = Callable[[str, "str | None", "str | None", "str | None", Mapping[str, str]], "str | None"]


@dataclass(frozen=True, slots=True, eq=False)
class XmlBinding:
    """A function that is asked before the tree, for these sections (empty: for all)."""

    function: BindingFunction
    sections: frozenset[str]


def parse_sections(text: str) -> frozenset[str]:
    """Return the sections that `text` names (`dialplan|directory`); FreeSWITCH looks for the words anywhere."""
    return frozenset(name for name in SECTIONS if name in text.lower())


def files_on_disk() -> ConfigFiles:
    """Return the access to real files, real commands and this process's environment."""
    return ConfigFiles(read_text_file, lambda pattern: sorted(glob.glob(pattern)), _run, os.environ)


def read_text_file(path: str) -> str:
    """Return a file's text, bytes that are no UTF-8 kept by surrogateescape. Raises OSError."""
    if os.path.getsize(path) > MAX_FILE:
        raise OSError(f"larger than {MAX_FILE} bytes")
    return Path(path).read_bytes().decode("utf-8", "surrogateescape")


class XmlRegistry:
    """The XML configuration and who else may answer for it. Readers need no lock: a tree is never changed
    after it was loaded, a reload puts another in its place.

    `variables` are the global variables that `$${name}` reads and `set` writes. `log(level, text)` gets what
    the configuration's author should know. `now_ms` is the time in ms that `cacheable` users expire by.
    """

    def __init__(
        self,
        variables: GlobalVariables,
        *,
        files: ConfigFiles | None = None,
        log: Callable[[LogLevel, str], None] = lambda level, text: None,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._variables = variables
        self._files = files or files_on_disk()
        self._log = log
        self._root = etree.Element("document", {"type": "freeswitch/xml"})
        self._bindings: tuple[XmlBinding, ...] = ()
        self._lock = threading.Lock()
        self._source: Callable[[], ExpandedXml] | None = None
        self.directory = Directory(self.locate, now_ms)

    @property
    def root(self) -> etree._Element:
        """The root of the tree in use; to be read only."""
        return self._root

    def load(self, root_file: str | os.PathLike[str]) -> None:
        """Load the configuration of `root_file`, which `reload` reads again. Raises XmlConfigError."""
        path = os.path.abspath(root_file)
        self._load(lambda: preprocess_file(path, self._files, self._variables))

    def load_text(self, text: str, name: str = "freeswitch.xml") -> None:
        """Load a configuration from text that has no directives; `name` stands for it in errors.

        Raises XmlConfigError.
        """
        origins = tuple((name, line) for line in range(1, text.count("\n") + 2))
        self._load(lambda: ExpandedXml(text, origins, ()))

    def reload(self) -> str:
        """Load the configuration again and return FreeSWITCH's word about it: `Success` or what is wrong.

        After an error the tree in use stays (the variables that were set on the way do not go back).
        """
        if self._source is None:
            return "Cannot Open log directory or XML Root!"
        try:
            self._load(self._source)
        except XmlConfigError as error:
            self._log(LogLevel.ERR, f"Error in the configuration, the former one stays: {error}")
            cause = error.__cause__
            return str(cause) if isinstance(cause, XmlTextError) else "Cannot Open log directory or XML Root!"
        return "Success"

    def bind(self, function: BindingFunction, sections: frozenset[str] = frozenset()) -> XmlBinding:
        """Let `function` answer before the tree, after the bindings made earlier; see `parse_sections`."""
        binding = XmlBinding(function, sections)
        with self._lock:
            self._bindings = (*self._bindings, binding)
        return binding

    def unbind(self, binding: XmlBinding) -> None:
        """Take a binding back; one that is not there is left alone."""
        with self._lock:
            self._bindings = tuple(kept for kept in self._bindings if kept is not binding)

    def section(self, name: str, params: Mapping[str, str] | None = None) -> etree._Element | None:
        """Return a whole section, asking the bindings first; None when there is none."""
        return self.locate(name, None, None, None, params)

    def configuration(self, name: str, params: Mapping[str, str] | None = None) -> etree._Element | None:
        """Return the configuration of a module by its file name (`lua.conf`); None when there is none."""
        return self.locate("configuration", "configuration", "name", name, params)

    def locate(
        self,
        section: str,
        tag: str | None = None,
        key_name: str | None = None,
        key_value: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> etree._Element | None:
        """Return the element `tag` whose attribute `key_name` is `key_value` (in any case), in a section.

        The section itself when one of the three is None. Bindings are asked in their order; the first that
        gives a document is looked through, and where that has no such element the tree is.
        """
        for binding in self._bindings:
            if binding.sections and not binding.sections & parse_sections(section):
                continue
            document = self._asked(binding, section, tag, key_name, key_value, params or {})
            if document is not None:
                found = _find(document, section, tag, key_name, key_value)
                if found is not None:
                    return found
                break
        return _find(self._root, section, tag, key_name, key_value)

    def _asked(
        self,
        binding: XmlBinding,
        section: str,
        tag: str | None,
        key_name: str | None,
        key_value: str | None,
        params: Mapping[str, str],
    ) -> etree._Element | None:
        text = binding.function(section, tag, key_name, key_value, params)
        if not text:
            return None
        try:
            document = parse_xml(text)
        except XmlTextError as error:
            self._log(LogLevel.ERR, f"Error[{error}]")
            return None
        result = named_child(document, "section", "name", "result")
        status = result.find("result") if result is not None else None
        if status is not None and status.get("status", "").lower() == "not found":
            return None
        return document

    def _load(self, source: Callable[[], ExpandedXml]) -> None:
        expanded = source()
        for warning in expanded.warnings:
            self._log(warning.level, f"{warning.file}:{warning.line}: {warning.text}")
        try:
            root = parse_xml(expanded.text)
        except XmlTextError as error:
            raise XmlConfigError(*expanded.origin(error.line), error.reason) from error
        self._source = source
        self._root = root


def _find(
    root: etree._Element, section: str, tag: str | None, key_name: str | None, key_value: str | None
) -> etree._Element | None:
    inside = named_child(root, "section", "name", section)
    if inside is None or tag is None or key_name is None or key_value is None:
        return inside
    return named_child(inside, tag, key_name, key_value)


def _run(command: str) -> tuple[str, int]:
    done = subprocess.run(command, shell=True, check=False, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return done.stdout[:MAX_FILE].decode("utf-8", "surrogateescape"), done.returncode
