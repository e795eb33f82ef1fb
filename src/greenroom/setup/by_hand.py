"""Steps for an Exchange Server that no script of ours does, since they are done elsewhere or concern everybody. As Markdown."""

from greenroom.setup.ews_endpoint import Auth
from greenroom.setup.powershell import literal

_ACCOUNT = (
    "**The account's password.** It must not run out unseen: let it never expire (`Set-ADUser -PasswordNeverExpires $true`), or "
    "change it here and in Greenroom on the same day. The account needs no interactive sign-in."
)
_PROXY = (
    "**Load balancers and proxies.** Extended Protection ties the sign-in to the TLS connection. Whatever stands before Exchange "
    "either passes TLS through, or opens it and speaks TLS to Exchange with the very same certificate. Otherwise Exchange answers "
    "401 though the password is right; Kerberos has the same condition, Basic has not."
)


def left_by_hand(auth: Auth, host: str, account: str, client_id: str) -> tuple[str, ...]:
    """Return what is left to do by hand for a way to sign in."""
    match auth:
        case "basic":
            return (_ACCOUNT,)
        case "ntlm":
            return _ACCOUNT, _PROXY
        case "kerberos":
            return _ACCOUNT, _PROXY, _alternate_account(host), _keytab(account)
        case "oauth" | "bearer":
            return (_partner(account, client_id),)


def _alternate_account(host: str) -> str:
    return f"""\
**A service principal name for Exchange.** Where several servers answer as `{host}`, they share an *alternate service account*, and
that owns the name. See whether it is there: `setspn -Q HTTP/{host}`. If it is not:

```powershell
New-ADComputer -Name 'EXCH-ASA' -AccountPassword (Read-Host 'Any long password' -AsSecureString) -Enabled $true
Set-ADComputer 'EXCH-ASA' -Add @{{ 'msDS-SupportedEncryptionTypes' = '28' }}
cd $ExScripts
.\\RollAlternateServiceAccountPassword.ps1 -ToEntireForest -GenerateNewPasswordFor 'YOURDOMAIN\\EXCH-ASA$'
setspn -S HTTP/{host} 'YOURDOMAIN\\EXCH-ASA$'
```

With a single server that is reached by its own name nothing of this is needed."""


def _keytab(account: str) -> str:
    realm = account.rpartition("@")[2].upper()
    principal = literal(f"{account.rpartition('@')[0]}@{realm}", "account")
    user = literal(account, "account")
    options = "/pass * /crypto AES256-SHA1 /ptype KRB5_NT_PRINCIPAL /out greenroom.keytab"
    return f"""\
**A keytab instead of the password**, if you like that better. On a domain controller, with the account allowed AES 256:

```powershell
ktpass /princ {principal} /mapuser {user} {options}
```

`ktpass` sets the password anew. Copy the file to Greenroom as `secrets/greenroom.keytab` and name it in `kerberos.keytab_file`."""


def _partner(account: str, client_id: str) -> str:
    user, application = literal(account, "account"), literal(client_id, "client_id")
    return f"""\
**Exchange must trust the issuer of tokens.** For Microsoft Entra that is *hybrid modern authentication*, which Microsoft's Hybrid
Configuration Wizard sets up for the whole organisation. An application that signs in without a user also has to be a partner
application, linked to the service account whose rights it gets. We could not try this on a real Exchange Server:

```powershell
New-PartnerApplication -Name 'Greenroom' -ApplicationIdentifier {application} -LinkedAccount {user}
```"""
