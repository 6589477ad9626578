"""mod_cdr_csv: which calls are written where, from which template, and how files are put aside."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from host.switch import Switch
from tests.host.ivr.legs import CONFIGURATION, Legs

Start = Callable[[str], Legs]


@pytest.fixture
def start(virtual_switch: Switch) -> Start:
    def configured(settings: str) -> Legs:
        legs = Legs(virtual_switch)
        section = f"<section name='configuration'>{settings}</section></document>"
        virtual_switch.xml.load_text(CONFIGURATION.replace("</document>", section))
        virtual_switch.modules.load("mod_commands")
        virtual_switch.modules.load("mod_cdr_csv")
        return legs

    return configured


def configuration(*params: tuple[str, str], templates: str = "") -> str:
    settings = "".join(f'<param name="{name}" value="{value}"/>' for name, value in params)
    return (
        f'<configuration name="cdr_csv.conf"><settings>{settings}</settings>'
        f"<templates>{templates}</templates></configuration>"
    )


def rows(path: Path) -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file, skipinitialspace=True))


def test_a_call_is_a_line_of_the_default_template(start: Start, tmp_path: Path) -> None:
    legs = start(configuration())
    near = legs.caller(("answer", ""), ("pause", "2000"), ("hangup", "USER_BUSY"), accountcode="sales")
    legs.wait(3)
    master = rows(tmp_path / "log" / "cdr-csv" / "Master.csv")
    assert len(master) == 1 and len(master[0]) == 13
    assert master[0][7:] == ["2", "2", "USER_BUSY", near.uuid, "", "sales"]
    assert rows(tmp_path / "log" / "cdr-csv" / "sales.csv") == master


@pytest.mark.parametrize(("which", "written"), [("a", "a"), ("b", "b"), ("ab", "ab")])
def test_which_legs_count(start: Start, tmp_path: Path, which: str, written: str) -> None:
    template = "<template name='t'>${uuid}</template>"
    legs = start(configuration(("legs", which), ("default-template", "t"), templates=template))
    near = legs.caller(("answer", ""), ("bridge", "null/far"))
    legs.wait(1)
    far = near.partner
    legs.hang_up_all()
    legs.wait(1)
    lines = {row[0] for row in rows(tmp_path / "log" / "cdr-csv" / "Master.csv")}
    assert lines == {uuid for leg, uuid in (("a", near.uuid), ("b", far)) if leg in written}


def test_an_account_has_a_template_and_no_way_out_of_the_folder(start: Start, tmp_path: Path) -> None:
    templates = "<template name='../x'>own ${accountcode}</template><template name='t'>all</template>"
    legs = start(
        configuration(("default-template", "t"), ("log-base", str(tmp_path / "cdr")), templates=templates)
    )
    legs.caller(("hangup", ""), accountcode="../x")
    legs.wait(1)
    folder = tmp_path / "cdr" / "cdr-csv"
    assert sorted(path.name for path in folder.iterdir()) == [".._x.csv", "Master.csv"]
    assert (folder / ".._x.csv").read_text() == "own ../x\n"
    assert (folder / "Master.csv").read_text() == "all\n"


def test_the_master_file_only_and_a_folder_of_ones_own(start: Start, tmp_path: Path) -> None:
    legs = start(configuration(("master-file-only", "true")))
    legs.caller(("hangup", ""), accountcode="sales", cdr_csv_base=str(tmp_path / "mine"))
    legs.wait(1)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["Master.csv"]


@pytest.mark.parametrize(("rotates", "files"), [("true", 2), ("false", 1)])
@pytest.mark.parametrize("how", [("cdr_csv", "rotate"), ("fsctl", "send_sighup")])
def test_files_are_put_aside(
    start: Start, tmp_path: Path, rotates: str, files: int, how: tuple[str, str]
) -> None:
    legs = start(configuration(("rotate-on-hup", rotates)))
    legs.caller(("hangup", ""))
    legs.wait(1)
    assert legs.switch.api(*how).strip() == "+OK"
    legs.caller(("hangup", ""))
    legs.wait(1)
    names = sorted(path.name for path in (tmp_path / "log" / "cdr-csv").iterdir())
    assert len(names) == files and names[0] == "Master.csv"
    assert len(rows(tmp_path / "log" / "cdr-csv" / "Master.csv")) == 3 - files


def test_other_words_are_the_usage(start: Start) -> None:
    assert start(configuration()).switch.api("cdr_csv", "nosuch") == "-USAGE: parameters\n"


def test_a_folder_that_cannot_be_written_is_an_error_in_the_log(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    legs = start(configuration(("log-base", str(tmp_path / "file"))))
    lines: list[str] = []
    legs.switch.logs.add_sink(lambda entry: lines.append(entry.text))
    legs.caller(("hangup", ""))
    legs.wait(1)
    assert any(line.startswith("Error writing the call detail record: ") for line in lines)


def test_without_a_configuration_nothing_is_written_unless_the_module_is_asked_for(
    start: Start, tmp_path: Path
) -> None:
    legs = start("")
    legs.caller(("hangup", ""))
    legs.wait(1)
    assert not (tmp_path / "log").exists()
    legs.switch.modules.unload("mod_cdr_csv")
    modules = (
        "<configuration name='modules.conf'><modules><load module='mod_cdr_csv'/></modules></configuration>"
    )
    section = f"<section name='configuration'>{modules}</section></document>"
    legs.switch.xml.load_text(CONFIGURATION.replace("</document>", section))
    legs.switch.modules.load("mod_cdr_csv")
    legs.caller(("hangup", ""))
    legs.wait(1)
    assert (tmp_path / "log" / "cdr-csv" / "Master.csv").exists()


def test_an_unloaded_module_writes_no_more(start: Start, tmp_path: Path) -> None:
    legs = start(configuration())
    legs.switch.modules.unload("mod_cdr_csv")
    legs.caller(("hangup", ""))
    legs.wait(1)
    assert not (tmp_path / "log").exists()
