"""What stops us on the way to a web address, in sentences: each step of the way has its own, with what mends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.doctor.certificates import Sent, name_of, names_in
from greenroom.doctor.contract import Finding, State
from greenroom.doctor.way import Place, Refused, StoppedError

_NOT_YET, _EXPIRED, _SELF_SIGNED, _WRONG_NAMES = 9, 10, 18, (62, 64)
"""OpenSSL's verification results (X509_V_ERR_...)."""
_OLD_TLS = frozenset({"unsupported_protocol", "tlsv1_alert_protocol_version", "no_protocols_available"})


@dataclass(frozen=True, slots=True)
class End:
    """One web address that we, or others for us, speak to.

    `what` says in words what is there, `key` the setting that names it. `ca_key` is the setting with further authorities (empty
    where there is none: browsers come there), `skew` from which difference of clocks on nothing works (`skew_why` says what).
    `unless` says what else it may be where others get there, and only this computer does not.
    """

    place: Place
    what: str
    key: str
    ca_key: str = ""
    proxy_key: str = ""
    skew: timedelta = timedelta(minutes=3)
    skew_why: str = "Tokens are taken only while the clocks agree."
    matters: str = ""
    unless: str = ""

    @property
    def subject(self) -> str:
        """How the place is named in findings."""
        return self.place.name

    @property
    def needs(self) -> tuple[str, ...]:
        """What must not be wrong before anything else is tried there, for `Check.needs`."""
        return tuple(f"{name}@{self.subject}" for name in ("reach", "dns", "proxy", "tls", "tls-chain"))


def obstacle(end: End, stopped: StoppedError, refused: Refused | None, now: datetime) -> Finding:
    """Say what stopped us, and where."""
    if stopped.step == "name":
        return _unnamed(end, stopped.code)
    if stopped.step == "connect":
        return _unconnected(end, stopped.code)
    if stopped.step == "proxy":
        return _not_led(end, stopped.code)
    if stopped.step == "tls":
        return _not_trusted(end, refused, now) if refused is not None else _no_tls(end, stopped.code, stopped.detail)
    what = f"{it(end)} takes connections and {'never answers' if stopped.code == 'timeout' else 'does not speak HTTP'}."
    return _wrong(end, "reach", what, f"Check {end.key}, and what runs behind that port: curl -v {_url(end)}")


def _unnamed(end: End, code: str) -> Finding:
    host = end.place.host if end.place.proxy is None else end.place.proxy.partition("//")[2].rpartition(":")[0]
    if code == "unknown-name":
        mend = f"Check {end.key if end.place.proxy is None else end.proxy_key}; look it up with: getent hosts {host}{end.unless}"
        return _wrong(end, "dns", f"The name {host} is not known to the name service.", mend)
    mend = f"See /etc/resolv.conf and the firewall on port 53: resolvectl query {host}{end.unless}"
    return _wrong(end, "dns", f"The name service does not answer when asked for {host}.", mend)


def _unconnected(end: End, code: str) -> Finding:
    there = end.place.name if end.place.proxy is None else f"the proxy {end.place.proxy}"
    key = end.key if end.place.proxy is None else end.proxy_key or end.key
    look = f"curl -v {_url(end)}{end.unless}"
    if code == "refused":
        what = f"{_up(there)} refuses connections: nothing listens there."
        return _wrong(
            end,
            "reach" if end.place.proxy is None else "proxy",
            what,
            f"Start what should listen there, or correct {key}: {look}",
        )
    what = f"{_up(there)} does not answer." if code == "timeout" else f"There is no way to {there} from here."
    mend = f"Have the firewall let this computer pass, or correct {key}: {look}"
    return _wrong(end, "reach" if end.place.proxy is None else "proxy", what, mend)


def _not_led(end: End, code: str) -> Finding:
    proxy = end.place.proxy
    if code == "status-407":
        what = f"The proxy {proxy} wants a user name and password, which Greenroom does not send."
        return _wrong(
            end, "proxy", what, f"Have the proxy let this computer pass to {end.place.name} without signing in."
        )
    if code.startswith("status-"):
        what = f"The proxy {proxy} does not lead to {end.place.name} (HTTP {code.removeprefix('status-')})."
        return _wrong(end, "proxy", what, f"Have the proxy let this computer pass to {end.place.name}.")
    said = "does not answer" if code == "timeout" else "is no web proxy"
    return _wrong(end, "proxy", f"What listens at {proxy} {said}.", f"Correct {end.proxy_key or end.key}.")


def _no_tls(end: End, code: str, detail: str) -> Finding:
    if code == "ca-file":
        what = f"{end.ca_key or 'The list of authorities'} cannot be used ({detail})."
        return _wrong(end, "tls", what, "It must be a readable PEM file with certificates of authorities.")
    if code == "timeout":
        what = f"{it(end)} takes connections and then says nothing: there is no TLS."
    elif detail in _OLD_TLS:
        what = f"{it(end)} speaks only a TLS older than 1.2."
        mend = 'Switch TLS 1.2 or 1.3 on there (Exchange: "Exchange Server TLS configuration best practices").'
        return _wrong(end, "tls", what, mend)
    else:
        what = f"{it(end)} does not speak TLS ({detail or 'the connection breaks'})."
    return _wrong(
        end,
        "tls",
        what,
        f"Check that {end.key} has the https port: openssl s_client -connect {end.place.host}:{end.place.port}",
    )


def _not_trusted(end: End, refused: Refused, now: datetime) -> Finding:
    """Say why a certificate is refused, from OpenSSL's number and the chain that was sent."""
    sent, code, place = Sent.of(refused.chain), refused.verify_code, end.place
    show = f"openssl s_client -connect {place.host}:{place.port} -servername {place.host} -showcerts"
    trust = f"put its certificate (PEM) into the file of {end.ca_key}" if end.ca_key else "use one that browsers trust"
    its = f"The certificate of {place.name}"
    if code in _WRONG_NAMES:
        names = ", ".join(names_in(sent.own)) if sent.own is not None else ""
        mend = f"Write one of these names in {end.key}, or give the server a certificate for {place.host}."
        return _wrong(end, "tls", f"{its} is for another name{f': {names}' if names else ''}.", mend)
    if code == _EXPIRED:
        what = f"{its} has run out{_ended(sent, now)}."
        return _wrong(end, "tls", what, "Renew it on the server; if it is not old, set this computer's clock.")
    if code == _NOT_YET:
        return _wrong(
            end, "tls", f"{its} is not valid yet.", "Set this computer's clock (timedatectl), or that of its maker."
        )
    if code == _SELF_SIGNED:
        return _wrong(end, "tls", f"{its} is signed by itself, and not trusted here.", f"{_up(trust)}: {show}")
    return _untrusted_chain(end, sent, trust, show)


def _untrusted_chain(end: End, sent: Sent, trust: str, show: str) -> Finding:
    if sent.root:
        what = f"The certificate of {end.place.name} comes from an authority of its own, {sent.root}, that is not trusted here."
        return _wrong(end, "tls-chain", what, f"{_up(trust)}: {show}")
    missing = sent.missing or "its authority"
    own = f"if that is your own authority, {trust}: {show}"
    if sent.sends_intermediate:
        what = f"The chain of {end.place.name} leads to {missing}, which is neither sent nor trusted here."
        return _wrong(end, "tls-chain", what, f"Add the certificate of {missing} to the server's chain; {own}")
    what = f"{it(end)} sends its own certificate alone; that of {missing}, which signed it, is neither sent nor trusted here."
    return _wrong(end, "tls-chain", what, f"Have the server send the intermediate certificate of {missing} too; {own}")


def _ended(sent: Sent, now: datetime) -> str:
    for one in sent.certificates:
        if one.not_valid_after_utc <= now:
            return f": that of {name_of(one.subject)} on {one.not_valid_after_utc:%Y-%m-%d}"
    return ""


def _wrong(end: End, check: str, what: str, mend: str) -> Finding:
    return Finding(check, end.subject, State.WRONG, what, end.matters, mend)


def it(end: End) -> str:
    """Name what is there as the beginning of a sentence."""
    return f"{_up(end.what)} ({end.place.name})"


def _up(text: str) -> str:
    return text[:1].upper() + text[1:] if " " in text else text  # a host's name stays as it is


def _url(end: End) -> str:
    return f"{'https' if end.place.encrypted else 'http'}://{end.place.name}{end.place.path}"
