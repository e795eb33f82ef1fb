"""Compiling and running a template that anybody may have written: it can neither get out nor go on for ever.

What stops it, from the outside in:

```
before compiling   length; an allow list of node types (no macros, calls, attributes, includes, powers); depth; names
while running      every loop, filter, operator, comparison and printed value draws from one budget of work
                   no value grows beyond 64 KiB, no number beyond 15 digits, no list within a list
after              64 KiB of output
```
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from greenroom.meetings.sandbox_rules import NODE_WORK, Problem, find_problems
from greenroom.meetings.sandbox_run import Halt, SandboxEnvironment

LONGEST_TEMPLATE: Final = 12_288
LONGEST_OUTPUT: Final = 65_536

_ENVIRONMENT: Final = SandboxEnvironment()


class Refused(Exception):  # noqa: N818 - the caller turns it into the error its users see
    """A template is wrong or went wrong: where and why, without the value of any variable."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(str(problems[0].text))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Program:
    """A template that passed all checks."""

    template: jinja2.Template

    def run(self, variables: dict[str, object]) -> str:
        """Render; raises Refused with the line where it failed."""
        context = self.template.new_context(variables)
        parts: list[str] = []
        size = 0
        try:
            for part in self.template.root_render_func(context):
                parts.append(part)
                size += len(part)
                if size > LONGEST_OUTPUT:
                    problem, line = f"the output is longer than {LONGEST_OUTPUT} characters", 1
                    break
            else:
                return "".join(parts)
        except Halt as e:
            problem, line = str(e), self._line_of(e)
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as e:
            # The message of such an error may quote a value.
            problem, line = f"this cannot be computed ({type(e).__name__})", self._line_of(e)
        raise Refused([Problem(line, problem)])

    def _line_of(self, error: BaseException) -> int:
        line, step = 1, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == self.template.filename:
                line = self.template.get_corresponding_lineno(step.tb_lineno)
            step = step.tb_next
        return line


def compile_template(source: str, *, html: bool, names: Collection[str]) -> Program:
    """Check and compile; raises Refused with all problems found. `names` are the variables the template may use."""
    if len(source) > LONGEST_TEMPLATE:
        raise Refused([Problem(1, f"longer than {LONGEST_TEMPLATE} characters", f"at most {LONGEST_TEMPLATE}")])
    name = "text.html" if html else "text.txt"
    try:
        tree = _ENVIRONMENT.parse(source, name, name)
        problems = find_problems(tree, names)
        if problems:
            raise Refused(problems)
        code = _ENVIRONMENT.compile(_Meter().visit(tree), name, name)
    except jinja2.TemplateSyntaxError as e:
        raise Refused([Problem(e.lineno, e.message or "not a template")]) from None
    except (RecursionError, MemoryError, SyntaxError, OverflowError, ValueError):
        raise Refused([Problem(1, "nested too deeply, or a number too long")]) from None
    return Program(jinja2.Template.from_code(_ENVIRONMENT, code, _ENVIRONMENT.make_globals(None)))


class _Meter(NodeTransformer):
    """Puts a metered filter wherever work is done that no filter does."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - named after the node
        cost = sum(_cost_of(part) for part in (*node.body, *([node.test] if node.test else []), node.target))
        self.generic_visit(node)
        node.iter = _metered(node.iter, "_each", [nodes.Const(NODE_WORK + cost)])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _metered(node.nodes[0], "_concat", node.nodes[1:])

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _metered(node.expr, "_value")
        for operand in node.ops:
            operand.expr = _metered(operand.expr, "_value")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _metered(node, "_value")

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.name not in {"defined", "undefined"}:
            node.node = _metered(node.node, "_value")
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _metered(nodes.Const(None), "_list", node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.ctx == "store" else _metered(nodes.Const(None), "_list", node.items)


def _metered(node: nodes.Node, name: str, args: list[Any] | None = None) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, args or [], [], None, None, lineno=node.lineno or 1)


def _cost_of(node: nodes.Node) -> int:
    return sum(NODE_WORK + (len(n.data) // 8 if isinstance(n, nodes.TemplateData) else 0) for n in _walk(node))


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())
