"""Runs a script of ours as PowerShell would, on the syntax tree. Exchange's own cmdlets go to whoever plays Exchange.

Not PowerShell, but the small part of it that `reading.problems` allows; whatever is not known here raises `NotImplementedError`
instead of being guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from support.powershell import values
from support.powershell.plain import Outcome, Plain
from support.powershell.quoting import single_quoted
from support.powershell.reading import Node, bare, parse, parts, problems, text_of
from support.powershell.values import Record, Stopped, brought_in, collected, sent_out, truth, unrolled

Cmdlets = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
"""Plays Exchange: takes a cmdlet and its parameters, returns objects. Raises `Stopped` for an error of the cmdlet."""

_SILENT: Final = frozenset({"silentlycontinue", "ignore"})
_COMMON: Final = frozenset({"erroraction", "warningaction", "informationaction", "verbose", "debug"})
_PASSED_ON: Final = frozenset({"Confirm", "WhatIf"})


class _Left(Exception):  # noqa: N818  (`return` and `exit`)
    pass


def run(
    text: str,
    cmdlets: Cmdlets,
    *,
    switches: Sequence[str] = (),
    what_if: bool = False,
    confirm: Callable[[str, str], bool] = lambda target, action: True,
    answers: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Outcome:
    """Run a script.

    `confirm` answers -Confirm, `answers` Read-Host and Get-Credential by a part of their prompt; `files` are those of the folder.
    """
    wrong = problems(text)
    if wrong:
        raise AssertionError(f"not of the part of PowerShell that is run here: {wrong[:5]}")
    plain = Plain(Outcome(), answers or {}, files or {})
    return _Run(cmdlets, plain, what_if=what_if, confirm=confirm).whole(parse(text).root_node, switches)


class _Run:
    def __init__(self, cmdlets: Cmdlets, plain: Plain, *, what_if: bool, confirm: Callable[[str, str], bool]) -> None:
        self._cmdlets, self._plain, self._what_if, self._confirm = cmdlets, plain, what_if, confirm
        self._variables: dict[str, Any] = {"null": None, "true": True, "false": False, "whatifpreference": what_if}
        self._outcome = plain.outcome
        self._may_change = False
        self._caught: list[Stopped] = []

    def whole(self, root: Node, switches: Sequence[str]) -> Outcome:
        for node in root.children:
            if node.type == "param_block":
                self._parameters(node, switches)
        try:
            for node in root.children:
                if node.type == "statement_list":
                    self._outcome.shown += self._statements(node)
        except Stopped as error:
            self._outcome.error = error.text
        except _Left:
            pass
        return self._outcome

    def _parameters(self, block: Node, switches: Sequence[str]) -> None:
        self._may_change = "SupportsShouldProcess" in text_of(block)
        known = []
        for parameter in (p for part in block.children if part.type == "parameter_list" for p in parts(part)):
            kind, name = (text_of(part) for part in parts(parameter)[:2])
            if kind != "[switch]":
                raise NotImplementedError(kind)
            known.append(name.lstrip("$").lower())
        unknown = {one.lower() for one in switches} - set(known)
        if unknown:
            raise AssertionError(f"the script has no switch {sorted(unknown)}")
        self._variables |= {name: name in {one.lower() for one in switches} for name in known}

    # Statements. Each returns what it sends down the pipeline.

    def _statements(self, node: Node) -> list[Any]:
        return [one for statement in parts(node) for one in self._statement(statement)]

    def _statement(self, node: Node) -> list[Any]:
        match node.type:
            case "comment" | "empty_statement":
                return []
            case "pipeline":
                return self._pipeline(node)
            case "if_statement":
                return self._if(node)
            case "foreach_statement":
                return self._foreach(node)
            case "try_statement":
                return self._try(node)
            case "flow_control_statement":
                self._leave(node)
        raise NotImplementedError(node.type)

    def _block(self, node: Node) -> list[Any]:
        return [one for part in parts(node) if part.type == "statement_list" for one in self._statements(part)]

    def _if(self, node: Node) -> list[Any]:
        clauses = [node, *(c for part in node.children if part.type == "elseif_clauses" for c in parts(part))]
        for clause in clauses:
            condition, block = (c for c in parts(clause) if c.type in {"pipeline", "statement_block"})
            if truth(collected(self._pipeline(condition))):
                return self._block(block)
        rest = [part for part in node.children if part.type == "else_clause"]
        return self._block(parts(rest[0])[-1]) if rest else []

    def _foreach(self, node: Node) -> list[Any]:
        variable, source, block = parts(node)
        out: list[Any] = []
        items = self._value(source)
        for one in [] if values.is_null(items) else unrolled(items):
            self._variables[_name(variable)] = one
            out += self._block(block)
        return out

    def _try(self, node: Node) -> list[Any]:
        attempt, clauses = parts(node)
        try:
            return self._block(attempt)
        except Stopped as error:
            self._caught.append(error)
            try:
                return self._block(parts(parts(clauses)[0])[-1])
            finally:
                self._caught.pop()

    def _leave(self, node: Node) -> None:
        word = text_of(node.children[0]).lower()
        if word == "throw":
            if parts(node):
                raise Stopped(values.spoken(self._value(parts(node)[0])))
            raise self._caught[-1] if self._caught else Stopped("ScriptHalted")
        if word in {"return", "exit"} and not parts(node):
            raise _Left
        raise NotImplementedError(text_of(node))

    def _pipeline(self, node: Node) -> list[Any]:
        (inner,) = parts(node)
        if inner.type == "assignment_expression":
            target, _, source = parts(inner)
            self._variables[_name(_bottom(target))] = self._value(source)
            return []
        steps = parts(inner)
        out = self._command(steps[0], None) if steps[0].type == "command" else unrolled(self._expression(steps[0]))
        for step in steps[1:]:
            out = self._command(step, out)
        return out

    def _value(self, pipeline: Node) -> Any:
        """What an assignment keeps: an expression's value as it is, a command's objects collected."""
        inner = bare(parts(pipeline)[0]) if pipeline.type == "pipeline" else bare(pipeline)
        if inner.type in {"command", "pipeline_chain"}:
            return collected(self._pipeline(pipeline))
        return self._expression(inner)

    # Expressions.

    def _expression(self, node: Node) -> Any:
        node = bare(node)
        kind = self._KINDS.get(node.type)
        if kind is None:
            raise NotImplementedError(f"{node.type}: {text_of(node)}")
        return kind(self, node)

    def _array(self, node: Node) -> Any:
        return [one for part in parts(node) for one in self._list(part)]

    def _comparison(self, node: Node) -> Any:
        left, operator, right = parts(node)
        work = values.TEXTS.get(text_of(operator).lower(), values.compared)
        return work(self._expression(left), text_of(operator).lower(), self._expression(right))

    def _logical(self, node: Node) -> Any:
        left, operator, right = node.children
        first = truth(self._expression(left))
        wanted = text_of(operator).lower() == "-and"
        return truth(self._expression(right)) if first is wanted else first

    def _unary(self, node: Node) -> Any:
        if text_of(node.children[0]).lower() not in {"-not", "!"}:
            raise NotImplementedError(text_of(node))
        return not truth(self._expression(node.children[1]))

    def _list(self, statements: Node) -> list[Any]:
        out: list[Any] = []
        for one in parts(statements):
            inner = bare(parts(one)[0]) if one.type == "pipeline" else one
            if one.type != "pipeline" or inner.type in {"command", "pipeline_chain"}:
                out += self._statement(one)
            else:
                value = self._expression(inner)
                out += unrolled(value)  # @($null) has one element, @(nothing) none
        return out

    def _variable(self, node: Node) -> Any:
        name = _name(node)
        if name not in self._variables:
            raise Stopped(f"The variable '${name}' cannot be retrieved because it has not been set.")
        return self._variables[name]

    def _table(self, node: Node) -> Record:
        entries = [entry for body in parts(node) for entry in parts(body) if entry.type == "hash_entry"]
        rows = [(text_of(parts(entry)[0]), self._value(parts(entry)[-1])) for entry in entries]
        names = [name.lower() for name, _ in rows]
        if len(set(names)) != len(names):
            raise Stopped("Duplicate keys are not allowed in hash literals.")
        return Record(dict(rows), is_table=True)

    def _should_process(self, node: Node) -> bool:
        if not self._may_change:
            raise AssertionError("ShouldProcess without SupportsShouldProcess")
        arguments = [a for part in node.children if part.type == "argument_list" for a in parts(part)]
        target, action = (values.spoken(self._expression(one)) for one in parts(arguments[0]))
        self._outcome.asked.append((target, action))
        return not self._what_if and self._confirm(target, action)

    _KINDS: ClassVar[dict[str, Callable[["_Run", Node], Any]]] = {
        "string_literal": lambda run, node: single_quoted(text_of(node)),
        "integer_literal": lambda run, node: int(text_of(node)),
        "variable": lambda run, node: run._variable(node),
        "member_access": lambda run, node: values.member(run._expression(node.children[0]), text_of(node.children[-1])),
        "parenthesized_expression": lambda run, node: run._value(parts(node)[0]),
        "array_expression": lambda run, node: run._array(node),
        "array_literal_expression": lambda run, node: [run._expression(part) for part in parts(node)],
        "hash_literal_expression": lambda run, node: run._table(node),
        "comparison_expression": lambda run, node: run._comparison(node),
        "format_expression": lambda run, node: values.formatted(
            *(run._expression(node.children[place]) for place in (0, -1))
        ),
        "logical_expression": lambda run, node: run._logical(node),
        "expression_with_unary_operator": lambda run, node: run._unary(node),
        "invokation_expression": lambda run, node: run._should_process(node),
    }

    # Commands.

    def _command(self, node: Node, given: list[Any] | None) -> list[Any]:
        name = text_of(node.children[0])
        if name == "Where-Object":
            (block,) = (n for n in _elements(node) if bare(n).type == "script_block_expression")
            return [one for one in given or [] if truth(self._with_item(bare(block), one))]
        arguments = self._arguments(node)
        own = getattr(self._plain, name.replace("-", "_").lower(), None)
        if own is not None:
            return list(own(arguments, given))
        if given is None:
            return self._exchange(name, arguments)
        each = [
            {"Identity": values.member(one, "Identity"), **arguments} for one in given
        ]  # as all of Exchange's bind it
        return [out for every in each for out in self._exchange(name, every)]

    def _with_item(self, block: Node, item: Any) -> Any:
        (statements,) = parts(parts(parts(block)[0])[0])
        self._variables["_"] = item
        try:
            return collected(self._statements(statements))
        finally:
            del self._variables["_"]

    def _arguments(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        waiting = ""

        def put(name: str, value: Any) -> None:
            if name.lower() in {own.lower() for own in found}:
                raise Stopped(f"Cannot bind parameter because parameter '{name}' is specified more than once.")
            found[name] = value

        for part in _elements(node):
            text = text_of(part)
            if part.type == "command_parameter":
                if waiting:
                    put(waiting, True)
                waiting = text.lstrip("-").rstrip(":")
            elif text.startswith("@") and text[1:].isidentifier():
                for name, value in self._variables[text[1:].lower()].items():
                    put(name, value)
            else:
                value = text if part.type == "generic_token" else self._expression(part)
                put(waiting or "", value)
                waiting = ""
        if waiting:
            put(waiting, True)
        return found

    def _exchange(self, name: str, arguments: dict[str, Any]) -> list[Any]:
        common = {key.lower(): value for key, value in arguments.items() if key.lower() in _COMMON}
        passed = {key: sent_out(value) for key, value in arguments.items() if key.lower() not in _COMMON}
        self._outcome.calls.append((name, passed))
        try:
            sent = {key: value for key, value in passed.items() if key not in _PASSED_ON}
            return [brought_in(one) for one in self._cmdlets(name, sent)]
        except Stopped as error:
            if str(common.get("erroraction", "Stop")).lower() in _SILENT and not error.binding:
                return []
            raise


def _elements(node: Node) -> list[Node]:
    found = [part for block in node.children[1:] for part in parts(block) if part.type != "command_argument_sep"]
    return [part if part.type in {"command_parameter", "generic_token"} else bare(part) for part in found]


def _bottom(node: Node) -> Node:
    while parts(node):
        node = parts(node)[0]
    return node


def _name(node: Node) -> str:
    return text_of(node).lstrip("$@").lower()
