"""What to do where an application lacks a right over EWS."""

from types import SimpleNamespace
from typing import Any

from greenroom.cli.exchange_failures import of_exchange
from greenroom.exchange.errors import NotPermittedError
from greenroom.settings import EwsExchange

APP = "11111111-2222-3333-4444-555555555555"


def step(host: str, account: str = "application", code: str = "ErrorImpersonateUserDenied") -> str:
    oauth = {"account": account, "tenant": "example.org", "client_id": APP, "client_secret": "planted"}
    exchange = EwsExchange.model_validate(
        {"url": f"https://{host}/EWS/Exchange.asmx", "auth": "oauth", "username": "svc@example.org", "oauth": oauth}
    )
    entry: Any = SimpleNamespace(name="main", mailbox="rooms@example.org", exchange=exchange, organizers=None)
    failure = of_exchange(NotPermittedError("it may not", code=code), entry)
    assert failure.code == "no-right"
    assert "planted" not in failure.next_step
    return failure.next_step


def test_in_exchange_online_it_is_a_role_of_applications() -> None:
    for code in ("ErrorImpersonateUserDenied", "http-403"):
        said = step("outlook.office365.com", code=code)
        assert f"-App '{APP}' -Role 'Application EWS.AccessAsApp'" in said
        assert f"Test-ServicePrincipalAuthorization -Identity '{APP}' -Resource 'rooms@example.org'" in said
        assert "ApplicationImpersonation" not in said


def test_at_an_exchange_server_it_is_a_partner_of_exchange() -> None:
    said = step("mail.example.org")
    assert "Get-PartnerApplication" in said
    assert "ApplicationImpersonation" not in said


def test_a_service_account_has_the_rights_of_accounts() -> None:
    assert "Get-PartnerApplication" not in step("mail.example.org", "service-account")
    assert "AccessAsApp" not in step("outlook.office365.com", "service-account")
