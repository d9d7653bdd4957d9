"""Hostile words: links, messages of browsers, forms of the classroom, tables of votes."""

import datetime
import json

import pytest
from hostile.judging import MIB, full_sentence, harmless, refused, table

from facevis.classroom.messages import parse_act, parse_code, parse_try, parse_vote
from facevis.classroom.trying import small_run
from facevis.classroom.votes import COLUMNS, VotesFile, question_of
from facevis.cli import main
from facevis.lessons.bundle import opening
from facevis.links import comparison_from_query, from_query, sweep_from_query, to_query
from facevis.live import RunConfig
from facevis.live.commands import parse_command
from facevis.live.presets import COMPARISONS

# -- links ----------------------------------------------------------------------------------------

DIGITS = "9" * 5000
LINKS = table(
    ("a loss that is none", {"loss": "hinge"}, "loss=hinge"),
    ("a loss of a megabyte", {"loss": "x" * MIB}, "loss=xxxx"),
    ("a loss that steers a screen", {"loss": "\x1b[2J"}, "loss="),
    ("a loss of two lines", {"loss": "arc\nface"}, "loss="),
    ("a page in a loss", {"loss": "<script>alert(1)</script>"}, "loss=<script>"),
    ("NaN", {"m2": "nan"}, "m2=nan"),
    ("without end", {"m1": "inf"}, "m1=inf"),
    ("negative", {"m3": "-1"}, "m3=-1"),
    ("10^400", {"s": "1e400"}, "s=1e400"),
    ("0", {"s": "0"}, "s=0"),
    ("5,000 digits", {"s": DIGITS}, "s=9999"),
    ("5,000 digits, whole", {"steps": DIGITS}, "steps=9999"),
    ("words for a number", {"lr": "fast"}, "lr=fast"),
    ("nothing for a number", {"lr": ""}, "lr="),
    ("a half of a person", {"n": "2.5"}, "n=2.5"),
    ("a billion people", {"n": "1000000000"}, "n=1000000000"),
    ("one stranger", {"unseen": "1"}, "unseen=1"),
    ("a folder", {"data": "/etc"}, "data=/etc"),
    ("a folder above", {"data": "../../runs"}, "data=../../runs"),
    ("an address", {"data": "http://127.0.0.1/"}, "data=http"),
    ("a made-up set of any size", {"data": "faces:identities=10000000"}, "data=faces:ident"),
    ("512 dimensions", {"dim": "512"}, "dim=512"),
    ("no dimension", {"dim": "-3"}, "dim=-3"),
    ("a network that is none", {"net": "__import__('os')"}, "net=__import__"),
    ("a batch of everything", {"batch": "100000000"}, "batch=100000000"),
    ("a seed that is none", {"seed": "0x10"}, "seed=0x10"),
    ("neither yes nor no", {"sq": "maybe"}, "sq=maybe"),
    ("a warm-up before the start", {"warm": "-1"}, "warm=-1"),
    ("a tail that is none", {"tail": "../"}, "tail=../"),
    ("zeros", {"mining": "\0\0"}, "mining="),
)


def _one_ignored(read, query, says, folder):
    with harmless(folder):
        found, ignored = read(query)
    assert ignored
    for said in ignored:
        full_sentence(said)
    assert says in ignored[0]
    return found


@pytest.mark.parametrize(("query", "says"), LINKS)
def test_a_part_of_a_link_is_ignored_with_a_sentence(query, says, tmp_path):
    found = _one_ignored(from_query, query, says, tmp_path)
    assert to_query(found) == to_query(RunConfig())
    found = _one_ignored(small_run, query, says, tmp_path)
    assert to_query(found) == to_query(RunConfig())


COMPARED = table(
    ("one member", {"members": "arcface"}, "members=1 losses"),
    ("a thousand members", {"members": ",".join(["arcface"] * 1000)}, "members=1000 losses"),
    ("only colons", {"members": ":::,:::"}, "= was ignored"),
    ("a setting that is none", {"members": "arcface:run=1,softmax"}, "run=1"),
    ("a dimension of its own", {"members": "arcface:dim=3,softmax"}, "dim=3"),
    ("a page in a setting", {"members": "arcface:<b>=1,softmax"}, "<b>=1"),
    ("a setting of a megabyte", {"members": "arcface:" + "x" * MIB + ",softmax"}, "x"),
    ("a value of a megabyte", {"members": "arcface:m2=" + "1" * MIB + ",softmax"}, "m2=1111"),
)


@pytest.mark.parametrize(("query", "says"), COMPARED)
def test_a_part_of_a_comparison_is_ignored_with_a_sentence(query, says, tmp_path):
    read = lambda query: comparison_from_query(query, COMPARISONS["five"])  # noqa: E731
    _one_ignored(read, query, says, tmp_path)


SWEPT = table(
    ("a value that is none", {"sweep": "lr"}, "sweep=lr"),
    ("from words", {"sweep": "m2", "from": "here"}, "sweep=m2"),
    ("from NaN", {"sweep": "m2", "from": "nan"}, "sweep=m2"),
    ("without end", {"sweep": "m2", "to": "inf"}, "sweep=m2"),
    ("backwards", {"sweep": "m3", "from": "0.5", "to": "0.1"}, "sweep=m3"),
    ("no models", {"sweep": "m3", "models": "0"}, "sweep=m3"),
    ("a million models", {"sweep": "m3", "models": "1000000"}, "sweep=m3"),
    ("models of 5,000 digits", {"sweep": "m3", "models": DIGITS}, "sweep=m3"),
    ("from two lines", {"sweep": "m3", "from": "0\n1"}, r"from is '0\n1'; give a number"),
)


@pytest.mark.parametrize(("query", "says"), SWEPT)
def test_a_sweep_of_a_link_is_ignored_with_a_sentence(query, says, tmp_path):
    default = RunConfig()
    read = lambda query: sweep_from_query(query, default)  # noqa: E731
    assert _one_ignored(read, query, says, tmp_path) is default


@pytest.mark.parametrize("loss", ["hinge", "softmax", "triplet", "x" * MIB, "arc\nface", ""])
def test_a_sweep_of_a_loss_without_margins_is_one_without_that_loss(loss, tmp_path):
    query = {"sweep": "m3", "models": "2"}
    read = lambda query: sweep_from_query(query, RunConfig())  # noqa: E731
    found = _one_ignored(read, {**query, "loss": loss}, "a sweep is of margins; choose", tmp_path)
    assert found == sweep_from_query(query, RunConfig())[0]


OPENED = table(
    ("lesson 0", {"lesson": "0"}, "lesson=0"),
    ("lesson 99", {"lesson": "99"}, "lesson=99"),
    ("a lesson of 5,000 digits", {"lesson": DIGITS}, "lesson=999"),
    ("a lesson in other digits", {"lesson": "٣"}, "lesson=٣"),
    ("a lesson that is a path", {"lesson": "../../etc/passwd"}, "lesson=../.."),
    ("a value that is NaN", {"lesson": "6", "s": "nan"}, "s=nan"),
    ("a value that is words", {"lesson": "6", "s": "large"}, "s=large"),
    ("a value without end", {"lesson": "6", "s": "1e999"}, "s=1e999"),
    ("a value of two lines", {"lesson": "6", "s": "4\n5"}, "s=4·5 was ignored: give a number"),
    ("a choice of two lines", {"lesson": "1", "seed": "0\n"}, "seed=0· was ignored: choose"),
    ("a value of a megabyte", {"lesson": "6", "s": "1" * MIB}, "s=1111"),
    ("a thing to hide of two lines", {"hide": "a\nb"}, "hide=a·b was ignored: choose"),
    ("a lesson of two lines", {"lesson": "8\n"}, "lesson=8· was ignored"),
    ("a view of two lines", {"view": "a\nb"}, "view=a·b was ignored"),
    ("what cannot be hidden", {"hide": "<img src=x>"}, "hide=<img"),
    ("a thousand things to hide", {"hide": ",".join(map(str, range(1000)))}, "hide=0"),
    ("a view that is none", {"view": "admin"}, "view=admin"),
    ("an answer that is none", {"answer": "yes"}, "answer=yes"),
    ("a step below 0", {"step": "-1"}, "step=-1"),
    ("a step of 5,000 digits", {"step": DIGITS}, "step=999"),
    ("a camera of words", {"cam": "left"}, "cam=left"),
    ("a camera at NaN", {"cam": "nan_nan_nan_nan"}, "cam=nan"),
    ("a camera of a megabyte", {"cam": "1_" * (MIB // 2)}, "cam=1_1"),
    ("a place that is none", {"at": "101"}, "at=101"),
    ("neither yes nor no", {"project": "2"}, "project=2"),
)


@pytest.mark.parametrize(("query", "says"), OPENED)
def test_a_part_of_a_lecture_is_ignored_with_a_sentence(query, says, tmp_path):
    _one_ignored(opening, query, says, tmp_path)


# -- messages and forms ---------------------------------------------------------------------------

TEXTS = (
    ("nothing", "", "is not JSON"),
    ("half", "{", "is not JSON"),
    ("nested", "[" * 900, "is not JSON"),
    ("a list", "[]", ""),
    ("null", "null", ""),
    ("a number", "7", ""),
    ("a number of many digits", "9" * 900, ""),
    ("too long", '"' + "x" * 5000 + '"', "is longer than"),
    ("no type", "{}", "has no known type"),
    ("a type that is a list", '{"type": []}', "has no known type"),
    ("a type that is none", '{"type": "shutdown"}', "has no known type"),
    ("half a letter", '{"type": "\\ud800"}', "has no known type"),
)


@pytest.mark.parametrize("door", [parse_command, parse_vote, parse_act])
@pytest.mark.parametrize(("text", "says"), table(*TEXTS))
def test_a_message_that_is_none_is_answered_with_a_sentence(door, text, says, tmp_path):
    refused(tmp_path, door, text, says=("the message", says))


COMMANDS = table(
    ("no steps", '{"type": "step", "count": 0}', "count is 0"),
    ("a million steps", '{"type": "step", "count": 1000000}', "count is 1000000"),
    ("true steps", '{"type": "step", "count": true}', "count is True"),
    ("steps in a list", '{"type": "step", "count": [1]}', "count is [1]"),
    ("steps of 3,000 digits", '{"type": "step", "count": ' + "9" * 3000 + "}", "count is 999"),
    ("no speed", '{"type": "speed", "steps_per_second": 0}', "steps_per_second is 0"),
    ("a speed of NaN", '{"type": "speed", "steps_per_second": NaN}', "steps_per_second is nan"),
    ("two margins", '{"type": "set", "margin": [1, 2]}', "margin must be a list"),
    ("a margin of words", '{"type": "set", "margin": "123"}', "margin must be a list"),
    ("margins of NaN", '{"type": "set", "margin": [NaN, 0, 0]}', "margin m1 is nan"),
    ("margins of lists", '{"type": "set", "margin": [[], 0, 0]}', "margin m1 is []"),
    ("margins of 10^400", '{"type": "set", "margin": [1, 1e400, 0]}', "margin m2 is inf"),
    ("a scale without end", '{"type": "set", "scale": Infinity}', "scale is inf"),
    ("a scale that is a table", '{"type": "set", "scale": {}}', "scale is {}"),
    ("member −1", '{"type": "set", "member": -1}', "member is -1"),
    ("no sample", '{"type": "anatomy"}', "sample is None"),
    ("a margin of a megabyte", '{"type": "set", "margin": ["' + "x" * 4000 + '", 0, 0]}', "m1 is"),
    ("a sample that is a half", '{"type": "anatomy", "sample": 0.5}', "sample is 0.5"),
    ("a sample beyond all", '{"type": "anatomy", "sample": 1e99}', "sample is 1e+99"),
    ("an id that is a text", '{"type": "anatomy", "sample": 1, "id": "1"}', "id is '1'"),
)


@pytest.mark.parametrize(("text", "says"), COMMANDS)
def test_a_command_of_a_viewer_is_answered_with_a_sentence(text, says, tmp_path):
    refused(tmp_path, parse_command, text, says=(says,))


def _long(text):
    return json.dumps({"query": {"loss": text}}).encode()


FORMS = table(
    ("no text", parse_vote, None, "is no text"),
    ("a vote for lesson 99", parse_vote, '{"type": "vote", "lesson": 99}', "lesson is 99"),
    ("a vote without a choice", parse_vote, '{"type": "vote", "lesson": 7}', "choice is None"),
    ("a vote below 0", parse_vote, '{"type": "vote", "lesson": 7, "choice": -1}', "choice is -1"),
    ("a vote of two", parse_vote, '{"type": "vote", "lesson": 7, "choice": [1, 2]}', "choice is ["),
    ("an act that is none", parse_act, '{"type": "poll", "lesson": 7, "act": "x"}', "act is 'x'"),
    ("an act of 900 letters",
     parse_act, json.dumps({"type": "poll", "lesson": 7, "act": "x" * 900}), "act is 'xxx"),
    ("an act that is a table", parse_act, '{"type": "poll", "lesson": 7, "act": {}}', "act is {}"),
    ("a code of nothing", parse_code, b"", "is not JSON"),
    ("a code that is no text", parse_code, b"\xff\xfe", "is not JSON"),
    ("a code that is a number", parse_code, b'{"code": 1234}', "code must be a text"),
    ("a code of 65 letters", parse_code, json.dumps({"code": "x" * 65}).encode(), "code must be"),
    ("a code of a megabyte", parse_code, b"x" * MIB, "is longer than 1024 bytes"),
    ("a try of nothing", parse_try, b"{}", "query must be an object"),
    ("a try of a list", parse_try, b'{"query": []}', "query must be an object"),
    ("a try of numbers", parse_try, b'{"query": {"s": 30}}', "query must hold texts"),
    ("a try of tables", parse_try, b'{"query": {"s": {"s": {}}}}', "query must hold texts"),
    ("a try of long texts", parse_try, _long("x" * 65), "query must hold texts"),
    ("a try of many", parse_try,
     json.dumps({"query": {str(k): "" for k in range(33)}}).encode(), "query must be an object"),
)  # fmt: skip


@pytest.mark.parametrize(("door", "given", "says"), FORMS)
def test_a_form_of_the_classroom_is_answered_with_a_sentence(door, given, says, tmp_path):
    refused(tmp_path, door, given, says=(says,))


# -- the command line -----------------------------------------------------------------------------

OPTIONS = table(
    ("a batch of nothing", "train demo --batch-size 0", "batch_size is 0; give"),
    ("a scale of NaN", "train demo --head.scale nan", "head.scale is nan; give"),
    ("pictures of 7 pixels", "train demo --data.size 7", "data.size is 7; give"),
    ("a step before the first", "train demo --schedule.milestones 0", "milestones is 0; give"),
    ("a number of 5,000 digits", f"train demo --head.scale {DIGITS}", "head.scale is inf; give"),
    ("no run at a time", "app --limits.training 0", "limits.training is 0; give"),
    ("a port that is none", "app --port 99999", "port is 99999; give"),
)
TYPED = table(
    ("a port in words", "app --port x", "--port: it is 'x'; give a whole number"),
    ("a port of 5,000 digits", f"app --port {DIGITS}", "--port: it is '999"),
    ("a scale in words", "train demo --head.scale x", "--head.scale: it is 'x'; give a number"),
    ("dimensions in words", "compare --out o --dim 2 x", "--dim: it is 'x'; give a whole number"),
    ("what may be left out", "evaluate m --out o --size x", "--size: it is 'x'; give a whole"),
    ("a lesson in words", "export lesson x", "it is 'x'; give a whole number"),
    ("a device that is none", "train demo --device tpu", "invalid choice 'tpu'"),
    ("a command that is none", "frobnicate", "Unrecognized options: frobnicate"),
)


@pytest.mark.parametrize(("words", "says"), OPTIONS)
def test_an_option_that_cannot_be_is_answered_with_a_sentence(words, says, tmp_path):
    with harmless(tmp_path), pytest.raises(SystemExit) as error:
        main(words.split())
    assert says in full_sentence(error.value.code)


@pytest.mark.parametrize(("words", "says"), TYPED)
def test_an_option_of_another_type_is_named_with_what_to_give(words, says, tmp_path, capsys):
    with harmless(tmp_path), pytest.raises(SystemExit):
        main(words.split())
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert says in said
    assert "<class" not in said
    assert "tyro" not in said


# -- tables of votes ------------------------------------------------------------------------------

QUESTION = question_of(8)
TODAY = datetime.datetime(2026, 1, 2)
HEAD = ",".join(COLUMNS) + "\n"


def row(time="2025-01-01T10:00:00", key=QUESTION.key, option="1", votes="3"):
    return f"{time},8,{key},{option},1,{votes},3,text\n"


@pytest.mark.parametrize(
    "data",
    table(
        ("nothing", b""),
        ("zeros", bytes(500)),
        ("no text", b"\xff\xfe" * 99),
        ("no heading", row().encode()),
        ("another heading", b"a,b\n1,2\n"),
        ("a quote that does not end", HEAD.encode() + b'"' + b"x" * 200_000),
        ("no votes", (HEAD + row(votes="")).encode()),
        ("negative votes", (HEAD + row(votes="-5")).encode()),
        ("votes of NaN", (HEAD + row(votes="nan")).encode()),
        ("votes of a billion", (HEAD + row(votes="1000000000")).encode()),
        ("votes in other digits", (HEAD + row(votes="٣")).encode()),
        ("a formula for votes", (HEAD + row(votes="=1+1")).encode()),
        ("option 0", (HEAD + row(option="0")).encode()),
        ("option 99", (HEAD + row(option="99")).encode()),
        ("another question", (HEAD + row(key="00000000")).encode()),
        ("the future", (HEAD + row(time="9999-12-31")).encode()),
        ("half a line", (HEAD + "2025").encode()),
        ("17 MiB", (HEAD + row()).encode() + b"\n" * (17 * MIB)),
    ),
)
def test_a_table_of_votes_that_is_none_has_no_votes_and_stays_as_it_is(data, tmp_path):
    path = tmp_path / "votes.csv"
    path.write_bytes(data)
    with harmless(tmp_path):
        assert VotesFile(path).earlier(QUESTION, TODAY) is None
    assert path.read_bytes() == data


def test_the_line_that_is_a_vote_counts_among_those_that_are_none(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text(HEAD + row(votes="x") + row(time="2025-01-02T09:00:00") + row(option="?"))
    found = VotesFile(path).earlier(QUESTION, TODAY)
    assert found is not None
    assert found[0] == 3


def test_a_table_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "votes.csv").mkdir()
    (tmp_path / ".votes.csv.lock").touch()  # stays beside a table: another app may wait for it
    file = VotesFile(tmp_path / "votes.csv")
    counts = [1] * len(QUESTION.options)
    refused(tmp_path, file.add, QUESTION, counts, TODAY, says=("votes.csv", "make room"))
