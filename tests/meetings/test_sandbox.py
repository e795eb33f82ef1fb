"""Templates that try to get out, to hang or to fill the memory."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.meetings.sandbox import LONGEST_OUTPUT, Refused, compile_template

NAMES = ("s", "big", "n", "nothing")
VALUES: dict[str, object] = {"s": "planted-secret <b>", "big": "x" * 60_000, "n": 5, "nothing": None}


def render(source: str, *, html: bool = True) -> str:
    return compile_template(source, html=html, names=NAMES).run(dict(VALUES))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ s }}", "planted-secret &lt;b&gt;"),
        ("{{ s ~ '<' ~ n }}", "planted-secret &lt;b&gt;&lt;5"),
        ("{% set x %}<i>{{ s }}</i>{% endset %}{{ x ~ '<' }}", "<i>planted-secret &lt;b&gt;</i>&lt;"),
        ("{% for i in range(3) %}{{ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}", "1,2,3"),
        ("{% for c in 'abc' if c != 'b' %}{{ c }}{% else %}none{% endfor %}", "ac"),
        ("{% for a in [s, n]|first|lower|truncate(5, true, '') %}{{ a }}{% endfor %}", "plant"),
        ("{{ [n, 'b']|join(', ') }} {{ [1, 2]|last }} {{ 'abc'|length }} {{ (1, 2)|length }}", "5, b 2 3 2"),
        ("{{ nothing|default('x', true) }} {{ nothing or 'y' }} {{ 'z' if nothing else 'w' }}", "x y w"),
        (
            "{{ '%.2f'|format(n / 3) }} {{ 2.5|round|int }} {{ (-3)|abs }} {{ '4'|int + 1 }} {{ '1.5'|float }}",
            "1.67 2 3 5 1.5",
        ),
        ("{{ ' a '|trim }}{{ 'ab'|upper|replace('A', '<') }}{{ 'xY'|capitalize }}", "a&lt;BXy"),
        ("{{ '<p>a &amp;  b</p>'|striptags }}", "a &amp; b"),
        ("{% filter upper %}a{{ n }}{% endfilter %}{# nothing #}{% raw %}{{ x }}{% endraw %}", "A5{{ x }}"),
        ("{{ 'abc'[0] }}{{ 'abc'[1:] }}{{ n is odd }}{{ s is string }}{{ 'a' in s }}", "abcTrueTrueTrue"),
    ],
)
def test_what_texts_need_is_there(source: str, expected: str) -> None:
    assert render(source) == expected


def test_plain_texts_are_not_escaped() -> None:
    assert render("{{ s }}", html=False) == "planted-secret <b>"


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ s['__class__'] }}",
    "{{ s['upper'] }}",
    "{{ (s|first)['__class__'] }}",
    "{{ s.upper() }}",
    "{{ '{0.__class__}'.format(s) }}",
    "{{ s|attr('__class__') }}",
    "{{ s|map('upper') }}",
    "{{ s|safe }}",
    "{{ s|pprint }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ joiner() }}",
    "{{ namespace(a=1) }}",
    "{{ dict(a=1) }}",
    "{{ {'a': 1} }}",
    "{{ range.__self__ }}",
    "{{ range }}",
    "{{ range(*[1]) }}",
    "{{ s|format(**nothing) }}",
    "{{ '%(a)s'|format(a=1) }}",
    "{{ loop }}",
    "{% for i in [1] %}{{ loop }}{% endfor %}",
    "{% for i in [1] %}{{ loop.cycle }}{% endfor %}",
    "{% for i in [1] %}{{ loop._iterable }}{% endfor %}",
    "{% for i in s recursive %}{{ loop(s) }}{% endfor %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% call range(1) %}{% endcall %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% extends 'x' %}",
    "{% block a %}{% endblock %}",
    "{% autoescape false %}{{ s }}{% endautoescape %}",
    "{% with a = 1 %}{% endwith %}",
    "{% do s.append(1) %}",
    "{% set loop = 1 %}",
    "{% set _x = 1 %}",
    "{% set n.x = 1 %}",
    "{% set self = 1 %}",
    "{{ environment }}",
    "{{ context }}",
    "{{ __builtins__ }}",
    "{{ l_0_s }}",
    "{{ s|_value }}",
    "{{ s|_each(1) }}",
    "{{ s is filter }}",
    "{{ s is callable }}",
    "{{ s is sameas s }}",
    "{{ unknown|default(1) }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_there_is_no_way_out(source: str) -> None:
    with pytest.raises(Refused):
        render(source)


HANGS = [
    "{% for i in range(5000) %}" * 3 + "{{ n }}" + "{% endfor %}" * 3,
    "{% for i in range(70) %}{% for j in range(60) %}" + "{% if s %}{% endif %}" * 300 + "{% endfor %}{% endfor %}",
    "{% for i in big %}{% endfor %}",
    "{% for i in range(5000) %}{% set q = big|upper|lower|striptags %}{% endfor %}",
    "{% for i in range(5000) %}{% if big == big|lower %}{% endif %}{% endfor %}",
    "{% for i in range(5000) %}{% set q = big[::-1] %}{% endfor %}",
    "{% for i in range(5000) %}{% if 'y' in big %}{% endif %}{% endfor %}",
    "{% for i in range(5000) %}{% if big is lower %}{% endif %}{% endfor %}",
    "{% for i in range(5000) %}{{ big }}{% endfor %}",
    "{% set z %}{% for i in range(5000) %}" + "a" * 10_000 + "{% endfor %}{% endset %}",
    "{% set z %}{% for i in range(5000) %}{{ big }}{% endfor %}{% endset %}",
    "{% filter upper %}{% for i in range(5000) %}{{ big }}{% endfor %}{% endfilter %}",
    "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 500,
    "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x + x %}" * 500,
    "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 200,
    "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = [x, x]|join %}" * 400,
    "{% set x = 'a' %}" + "{% set x = x|replace('a', 'aaaaaaaaaa') %}" * 200,
    "{% set x = [s, s] %}" + "{% set x = [x, x] %}" * 500 + "{{ x == x }}",
    "{{ big|replace('x', big) }}",
    "{{ big|replace('', big) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ [1] * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 999999999999999 * 999999999999999 }}",
    "{{ " + "9" * 12_000 + " }}",
    "{{ 1e400 }}",
    "{{ '9'|int * 1000000000000000 }}",
    "{{ '%1000000000d'|format(5) }}",
    "{{ '%-1000000000d'|format(5) }}",
    "{{ '%.1000000000f'|format(5) }}",
    "{{ '%999999999.2f'|format(5) }}",
    "{{ '%*d'|format(999999999, 5) }}",
    "{{ '%(a)999999999d'|format(5) }}",
    "{{ '%999999999d' % 5 }}",
    "{{ '%999999999d' is odd }}",
    "{{ '%999999999d' is even }}",
    "{{ '%999999999d' is divisibleby 5 }}",
    "{{ 1.5|round(1000000000) }}",
    "{{ big|trim(big) }}",
    "{{ range(1000000000000)|length }}",
    "{{ range(1, 1000000000000000, 1) }}",
    "{{ big ~ big }}",
    "{{" + "(" * 6000,
    "{{" + "(" * 3000 + "1" + ")" * 3000 + "}}",
    "{{" + "[" * 3000 + "]" * 3000 + "}}",
    "{{" + "not " * 3000 + "s}}",
    "{{" + "-" * 6000 + "1}}",
    "{{ s" + "+s" * 4000 + "}}",
    "{{ s" + "|upper" * 1900 + "}}",
    "{{ s" + "[0]" * 4000 + "}}",
    "{{ s" + ".a" * 6000 + "}}",
    "{{ " + "s if s else " * 1000 + "s }}",
    "{% if s %}" * 600 + "{% endif %}" * 500,
    "{% for i in s %}" * 400 + "{% endfor %}" * 400,
    *(
        c * (12_288 // len(c))
        for c in ("{{", "{%", "{#", "{% raw %}", "{{'", '{{"\\', "{% set ", "{{ s ", "{%-", "{{ s|")
    ),
]


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # the lexer warns of what it is fed
@pytest.mark.parametrize("source", HANGS, ids=lambda source: source[:40])
def test_nothing_hangs_or_grows_without_bounds(source: str) -> None:
    begin = time.process_time()
    with pytest.raises(Refused):
        render(source)
    assert time.process_time() - begin < 3


PIECES = [
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "for",
        "in",
        "endfor",
        "if",
        "endif",
        "set",
        "s",
        "big",
        "n",
        "9",
        " ",
        "'",
        '"',
    ),
    *(
        "=",
        "~",
        "|",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "+",
        "*",
        "%",
        "upper",
        "join",
        "range",
        "format",
        "loop",
        "__class__",
    ),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_jumble_is_rendered_or_refused_with_a_line(parts: list[str]) -> None:
    try:
        output, problems = render("".join(parts)), []
    except Refused as e:
        output, problems = "", e.problems
    assert len(output) <= LONGEST_OUTPUT
    assert all(problem.line >= 1 and problem.text for problem in problems)


def test_refusals_name_the_line_and_what_is_allowed_and_never_a_value() -> None:
    with pytest.raises(Refused) as refused:
        render("fine\n{{ unknown }}\n{{ s|shout }}\n{{ s is foo }}")
    assert [(p.line, p.text) for p in refused.value.problems] == [
        (2, "unknown variable unknown"),
        (3, "unknown filter shout"),
        (4, "unknown test foo"),
    ]
    assert refused.value.problems[0].allowed == "big, n, nothing, s"
    for source in (
        "\n\n{{ big[s] }}",
        "\n\n{{ 1 / 0 }}",
        "\n\n{{ n < s }}",
        "\n\n{{ s|int(s)|round }}",
        "\n\n{{ s|round }}",
        "\n\n{{ s|join(1, 2) }}",
    ):
        with pytest.raises(Refused) as refused:
            render(source)
        assert refused.value.problems[0].line == 3, source
        assert "planted" not in str(refused.value) + repr(refused.value.problems)


def test_a_text_of_more_than_12288_characters_is_refused() -> None:
    assert render("a" * 12_288)
    with pytest.raises(Refused, match="12288"):
        render("a" * 12_289)
