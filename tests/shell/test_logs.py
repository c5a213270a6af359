"""Progress in plain logs: under the packages' names, shown by the commands where there is no terminal, else silent."""

import logging
import re
import subprocess
import sys

import pytest

from bimt_analyze import analyze
from bimt_analyze._cli import main as analyze_main
from bimt_train import Recipe, train
from bimt_train._cli import main as train_main
from bimt_train.shell.shown_logs import shown_logs
from bimt_train.tasks import formula_task

LINE = re.compile(r"\d\d:\d\d:\d\d (\w+): .+")


def test_what_is_imported_prints_nothing_and_logs_under_its_own_names(capfd, caplog):
    with caplog.at_level(logging.INFO, logger="bimt_train"), caplog.at_level(logging.INFO, logger="bimt_analyze"):
        runs = train(formula_task("y = x1*x2"), seeds=2, recipe=Recipe(steps=40))
        analyze(runs.best.checkpoint, samples=0, time_limit=0.1, refit_steps=0)
    assert capfd.readouterr() == ("", "")
    said = [(record.name.split(".")[0], record.getMessage()) for record in caplog.records]
    steps = [message for package, message in said if package == "bimt_train" and message.startswith("training: step")]
    assert [int(message.split()[2]) for message in steps] == [4, 8, 12, 16, 20, 24, 28, 32, 36, 40]
    assert [message for package, message in said if message.startswith("analysis: ")] == [
        f"analysis: {stage}"
        for stage in ("read", "prune", "modules", "audit", "representations", "formulas", "module formulas")
    ]
    assert ("bimt_train", "pruning: 48 thresholds tried") in said and ("bimt_analyze", "formulas: searching y") in said


@pytest.mark.parametrize("package", ["bimt_train", "bimt_analyze"])
def test_a_warning_of_the_library_is_for_the_program_to_show(package):
    code = f"import logging, {package}; logging.getLogger('{package}.room').warning('mind')"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (shown.stdout, shown.stderr) == ("", "")


def test_the_commands_tell_their_progress_line_by_line_unless_quiet(tmp_path, capsys):
    words = ["y = x1*x2", "--seeds", "1", "--steps", "100", "--hidden", "3", "--out", str(tmp_path)]
    assert train_main(words) == 0
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == 11 and all(LINE.fullmatch(line) for line in lines)
    assert lines[-1].split()[1:6] == ["training:", "step", "100", "of", "100,"] and "training:" not in said.out
    assert train_main([*words, "--quiet"]) == 0 and capsys.readouterr().err == ""
    fast = [str(tmp_path), "--samples", "0", "--time-limit", "0", "--refit", "0"]
    assert analyze_main(fast) == 0
    told = capsys.readouterr().err.splitlines()
    assert {LINE.fullmatch(line)[1] for line in told} == {"analysis", "pruning"}
    assert analyze_main([*fast, "--quiet"]) == 0 and capsys.readouterr().err == ""


def test_a_diverged_seed_is_told(tmp_path, capsys):
    words = ["y = x1*x2", "--seeds", "1", "--steps", "60", "--lr", "1e30", "--out", str(tmp_path)]
    assert train_main(words) == 1
    assert re.search(r" training: seed 0 diverged before step \d+; the others go on$", capsys.readouterr().err, re.M)


def test_logs_are_as_before_when_a_command_ends(capsys):
    loggers = [logging.getLogger(name) for name in ("bimt_train", "bimt_analyze")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    with shown_logs(progress=False):
        logging.getLogger("bimt_train.x").info("not asked for")
        logging.getLogger("bimt_analyze.x").warning("mind")
    logging.getLogger("bimt_analyze.x").warning("mind")
    assert [(logger.level, list(logger.handlers)) for logger in loggers] == before
    assert capsys.readouterr().err.count("mind") == 1
