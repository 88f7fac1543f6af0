from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray import cloudpickle  # what workers get their problem by

from objectives import Objective, find_objective, objective, objective_names
from simulators.protocol import Designs, InputError, Report

REPORT = Report({"energy_j": np.array([1.0, 2.0]), "latency_s": np.array([3.0, 4.0]), "accuracy": np.array([0.5, 0.6])})


@objective(direction="minimize", unit="J s", bounds=(0.0, 9.0))
def energy_delay_product(hardware: Report) -> Any:
    """Energy times delay.

    More words.
    """
    return hardware.energy_j * hardware.latency_s


# -- the decorator --------------------------------------------------------------------------------------------------


def test_a_decorated_function_is_an_objective() -> None:
    assert energy_delay_product.name == "energy_delay_product"
    assert energy_delay_product.direction == "minimize"
    assert energy_delay_product.unit == "J s"
    assert energy_delay_product.bounds == (0.0, 9.0)
    assert energy_delay_product.meaning == "Energy times delay."
    assert energy_delay_product.reads == ("hardware",)
    assert energy_delay_product.evaluate({"hardware": REPORT}, 2).tolist() == [3.0, 8.0]


def test_parameter_names_say_which_reports_are_read() -> None:
    @objective(direction="maximize", name="score")
    def anything(
        training: Report, deeptrain: Report, designs: Designs, *, hardware: Report, weight: float = 2.0
    ) -> Any:
        return training.accuracy * weight + designs["x"]

    assert anything.name == "score"
    assert anything.reads == ("training", "deeptrain", "designs", "hardware")  # a default is no report
    reports = {"training": REPORT, "deeptrain": REPORT, "hardware": REPORT, "designs": Designs({"x": np.array([1, 2])})}
    assert anything.evaluate(reports, 2).tolist() == [2.0, 3.2]


def test_what_is_asked_of_which_report_is_read_off_the_code() -> None:
    @objective(direction="maximize")
    def score(training: Report, hardware: Report) -> Any:
        lifetimes = [training.lifetime_years for _ in range(2)]
        return training.accuracy.mean() / hardware.energy_j + (training.depth if lifetimes else hardware.area_mm2)

    assert score.asks == {
        "training": {"lifetime_years", "accuracy", "depth"}, "hardware": {"energy_j", "area_mm2"},
    }  # fmt: skip
    assert energy_delay_product.asks == {"hardware": {"energy_j", "latency_s"}}


def test_of_what_looks_before_it_asks_nothing_is_said() -> None:
    @objective(direction="maximize")
    def careful(training: Report) -> Any:
        return training.lifetime_years if hasattr(training, "lifetime_years") else 0.0

    assert careful.asks == {}


def test_a_direction_is_one_of_two() -> None:
    with pytest.raises(InputError, match="choose maximize or minimize"):
        objective(direction="max")  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize(
    "function", [lambda *reports: reports, lambda **reports: reports, lambda hardware, /: hardware]
)
def test_a_parameter_that_names_no_report_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="must be a plain name"):
        objective(direction="minimize")(function)


@pytest.mark.parametrize(
    ("result", "values"),
    [(3, [3.0, 3.0]), (np.float32(0.5), [0.5, 0.5]), ([1, 2], [1.0, 2.0]), (np.array([True, False]), [1.0, 0.0]),
     (np.array([7.0]), [7.0, 7.0])],
)  # fmt: skip
def test_one_number_stands_for_all_designs(result: Any, values: list[float]) -> None:
    assert objective(direction="minimize", name="x")(lambda: result).evaluate({}, 2).tolist() == values


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "returned None; return one number per design"),
        (np.zeros(3), r"shape \(3,\) for 2 designs"),
        (np.zeros((2, 1)), r"shape \(2, 1\) for 2 designs"),
        ("high", "returned 'high'"),
        ({"a": 1}, "one number per design"),
        ([[1], [2, 3]], "one number per design"),
    ],
)
def test_what_is_no_number_per_design_is_refused_by_name(result: Any, says: str) -> None:
    found = objective(direction="minimize", name="carbon")(lambda: result)
    with pytest.raises(InputError, match=f"objective 'carbon' .*{says}"):
        found.evaluate({}, 2)


def test_a_field_that_the_report_has_not_is_answered_with_the_nearest_one() -> None:
    found = objective(direction="minimize", name="carbon")(lambda hardware: hardware.energy)
    with pytest.raises(InputError, match=r"objective 'carbon': no field 'energy' .*did you mean 'energy_j'"):
        found.evaluate({"hardware": REPORT}, 2)


# -- by name --------------------------------------------------------------------------------------------------------


def test_installed_objectives_are_found_by_name() -> None:
    assert {"accuracy", "area", "energy", "latency"} <= set(objective_names())
    reports = {
        "hardware": Report({"energy_j": np.ones(2), "latency_s": np.ones(2), "area_mm2": np.ones(2)}),
        "training": REPORT,
    }
    for name in ("accuracy", "area", "energy", "latency"):
        found = find_objective(name)
        assert found.name == name
        assert found.meaning.endswith(".")
        assert found.direction == ("maximize" if name == "accuracy" else "minimize")
        assert found.evaluate(reports, 2).shape == (2,)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("acuracy", r"unknown objective 'acuracy' \(did you mean 'accuracy'\?\)"),
        ("", "unknown objective ''"),
        ("./my.py", r"write \./my\.py:FUNCTION"),
        ("my.txt:carbon", "unknown objective 'my.txt:carbon'"),
    ],
)
def test_a_name_that_is_none_says_what_to_write(name: str, says: str) -> None:
    with pytest.raises(InputError, match="(?i)" + says):
        find_objective(name)


# -- in a user's file -----------------------------------------------------------------------------------------------

FILE = '''
from __future__ import annotations
from dataclasses import dataclass
from objectives import objective

@dataclass
class Grid:
    grams_per_kwh: float = 400.0

GRID = Grid()

def shared(x):
    return x / 3.6e6 * GRID.grams_per_kwh

@objective(direction="minimize", unit="g")
def carbon(hardware):
    """CO2 of an image."""
    return shared(hardware.energy_j)

@objective(direction="minimize", name="renamed")
def other(hardware):
    return hardware.energy_jules

def plain(hardware):
    return 1.0

number = 3
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my.py").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize("name", ["./my.py:carbon", "my.py:carbon", "../{}/my.py:carbon"])
def test_an_objective_is_found_in_a_file_relative_to_the_folder(folder: Path, name: str) -> None:
    found = find_objective(name.format(folder.name), folder)
    assert (found.name, found.direction, found.unit, found.meaning) == ("carbon", "minimize", "g", "CO2 of an image.")
    assert found.file == name.format(folder.name).rpartition(":")[0]
    assert found.evaluate({"hardware": REPORT}, 2) == pytest.approx([400 / 3.6e6, 800 / 3.6e6])
    assert find_objective(f"{folder / 'my.py'}:carbon").evaluate({"hardware": REPORT}, 2).shape == (2,)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("./absent.py:carbon", None, "cannot read .*absent.py"),
        ("./folder.py:carbon", "<folder>", "cannot read .*folder.py"),
        ("my.py:carbom", FILE, r"'carbom' is not in the file 'my.py' \(did you mean 'carbon'\?\)"),
        ("my.py:plain", FILE, r"'plain' is not decorated with @objective\(...\)"),
        ("my.py:number", FILE, "'number' is not in the file"),
        ("my.py:", FILE, "'' is not in the file"),
        ("my.py:carbon", "def carbon(:\n", r"fails to load: SyntaxError: .*line 1"),
        ("my.py:carbon", "import no_such_module\n", "fails to load: ModuleNotFoundError: .*no_such_module"),
        ("my.py:carbon", "1 / 0\n", "fails to load: ZeroDivisionError"),
        ("my.py:carbon", "import sys\nsys.exit(3)\n", "fails to load: SystemExit"),
        ("my.py:carbon", b"x = '\xff\xfe'", "no UTF-8"),
        ("my.py:carbon", "", "'carbon' is not in the file"),
        ("my.py:carbon", "import objectives\nobjectives.objective(direction='up')", "choose maximize"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, text: str | bytes | None, says: str) -> None:
    path = tmp_path / name.rpartition(":")[0]
    if text == "<folder>":
        path.mkdir()
    elif text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError, match=says):
        find_objective(name, tmp_path)


def test_a_traceback_shows_the_line_of_the_file(folder: Path) -> None:
    import traceback

    found = find_objective("my.py:other", folder)
    with pytest.raises(InputError, match="did you mean 'energy_j'") as caught:
        found.evaluate({"hardware": REPORT}, 2)
    assert found.name == "renamed"
    lines = "".join(traceback.format_exception(caught.value))
    assert "return hardware.energy_jules" in lines
    assert "my.py" in lines


def test_two_files_of_one_name_do_not_mix(tmp_path: Path) -> None:
    found = []
    for folder, value in ((tmp_path / "a", 1.0), (tmp_path / "b", 2.0)):
        folder.mkdir()
        (folder / "my.py").write_text(FILE.replace("return shared(hardware.energy_j)", f"return {value}"))
        found.append(find_objective("my.py:carbon", folder))
    assert [one.evaluate({"hardware": REPORT}, 1)[0] for one in found] == [1.0, 2.0]


# -- to another process ---------------------------------------------------------------------------------------------

ASK = """
import pickle, sys
import numpy as np
from simulators.protocol import Report
found = pickle.load(open(sys.argv[1], "rb"))
report = Report({"energy_j": np.array([3.6e6]), "latency_s": np.array([2.0])})
print(found.name, found.direction, found.unit, found.evaluate({"hardware": report}, 1)[0])
"""


def elsewhere(tmp_path: Path, pickled: bytes) -> str:
    """What another process, in another folder, makes of it."""
    path = tmp_path / "pickled"
    path.write_bytes(pickled)
    other = tmp_path / "other"
    other.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", ASK, str(path)], cwd=other, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_an_objective_of_a_file_works_where_the_file_is_not(
    folder: Path, tmp_path: Path, dumps: Callable[[Any], bytes]
) -> None:
    found = find_objective("my.py:carbon", folder)
    (folder / "my.py").unlink()
    assert elsewhere(tmp_path, dumps(found)) == "carbon minimize g 400.0"


def test_an_installed_objective_and_one_of_a_module_pickle() -> None:
    for found in (find_objective("energy"), energy_delay_product):
        again = pickle.loads(pickle.dumps(found))  # noqa: S301  # our own bytes
        assert again == found
        assert isinstance(again, Objective)


def test_an_objective_made_in_a_function_or_a_script_travels_to_workers(tmp_path: Path) -> None:
    @objective(direction="minimize", unit="g")
    def local(hardware: Report) -> Any:
        return hardware.energy_j / 3.6e6 * 100.0

    assert elsewhere(tmp_path, cloudpickle.dumps(local)) == "local minimize g 100.0"
    script = tmp_path / "script.py"
    written = tmp_path / "from_script"
    more = f"from ray import cloudpickle\nopen({str(written)!r}, 'wb').write(cloudpickle.dumps(carbon))\n"
    script.write_text(FILE + more)
    subprocess.run([sys.executable, str(script)], check=True, timeout=300)
    (tmp_path / "other").rmdir()
    assert elsewhere(tmp_path, written.read_bytes()) == "carbon minimize g 400.0"


def test_an_objective_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from objectives import objective\n\n\n"
        "@objective(direction='minimize')\ndef ratio(hardware):\n    return 1 / 0\n"
    )
    ratio = find_objective("./mine.py:ratio", tmp_path)
    with pytest.raises(InputError, match=r"objective 'ratio' raised ZeroDivisionError: .*mine\.py.*, line 6"):
        ratio.evaluate({"hardware": Report({"area_mm2": np.ones(1)})}, 1)
