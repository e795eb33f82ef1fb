"""The parameters of each kind of preparation, out of what is known."""

from typing import TYPE_CHECKING, cast

from greenroom.cli.setup_answers import NO_PRODUCTION, Answers
from greenroom.setup import exchange_server, microsoft_365, service_account
from greenroom.setup.contract import Preparation
from greenroom.setup.impersonation import own_group
from greenroom.setup.installation import Environment, Installation

if TYPE_CHECKING:
    from greenroom.setup.ews_endpoint import Auth
    from greenroom.setup.microsoft_365 import Credential
    from greenroom.setup.microsoft_shells import Cloud


def prepared(answers: Answers) -> Preparation:
    """Write all scripts. Raises `UnsafeValueError` for values that no script can hold or that cannot work."""
    if answers.kind == exchange_server.KIND:
        return exchange_server.exchange_server(_exchange_server(answers))
    if answers.kind == service_account.KIND:
        return service_account.service_account(_service_account(answers))
    return microsoft_365.microsoft_365(_microsoft_365(answers))


def _installation(answers: Answers) -> Installation:
    entry = answers.entry
    return Installation(
        cast("Environment", answers.environment),  # checked by click, and again by the class itself
        answers.text("mailbox"),
        answers.text("public_url"),
        *((entry.name, entry.number) if entry is not None else ()),
    )


def _production(answers: Answers) -> str:
    said = answers.text("production_mailbox")
    return "" if said.casefold() == NO_PRODUCTION else said


def _exchange_server(answers: Answers) -> exchange_server.ExchangeServer:
    installation = _installation(answers)
    group = own_group(installation) if answers.is_so("organizers") else ""
    return exchange_server.ExchangeServer(
        installation=installation,
        account=answers.text("account"),
        url=answers.text("url"),
        auth=cast("Auth", answers.text("auth", "basic")),  # checked by click
        group=answers.text("organizers_group", group),
        delegate=answers.text("delegate"),
        title=answers.text("display_name"),
        production=_production(answers),
        external=answers.is_so("external"),
        hidden=answers.is_so("hidden"),
        tenant=answers.text("tenant"),
        client_id=answers.text("client_id"),
        addin_id=answers.addin_id,
    )


def _microsoft_365(answers: Answers) -> microsoft_365.Microsoft365:
    return microsoft_365.Microsoft365(
        installation=_installation(answers),
        tenant=answers.text("tenant"),
        cloud=cast("Cloud", answers.text("cloud", "global")),  # checked by click
        client_id=answers.text("client_id"),
        object_id=answers.text("object_id"),
        credential=cast("Credential", answers.text("credential", "certificate")),  # checked by click
        certificate_file=answers.text("certificate", "greenroom.crt"),
        organizers=answers.is_so("organizers"),
        delegate=answers.text("delegate"),
        title=answers.text("display_name"),
        production=_production(answers),
        external=answers.is_so("external"),
        hidden=answers.is_so("hidden"),
        addin=answers.with_addin,
    )


def _service_account(answers: Answers) -> service_account.ServiceAccount:
    return service_account.ServiceAccount(
        installation=_installation(answers),
        tenant=answers.text("tenant"),
        cloud=cast("Cloud", answers.text("cloud", "global")),  # checked by click
        client_id=answers.text("client_id"),
        account=answers.text("account"),
        delegate=answers.text("delegate"),
        title=answers.text("display_name"),
        production=_production(answers),
        external=answers.is_so("external"),
        hidden=answers.is_so("hidden"),
        addin=answers.with_addin,
    )
