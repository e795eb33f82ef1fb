"""What the product's own scheduler for Exchange keeps: connectors, reserved aliases, dated occurrences, series."""

from __future__ import annotations

from typing import Final

from greenroom.simulator.pexip.fields_rooms import NON_IDP
from greenroom.simulator.pexip.kinds import REQUIRED, choice, configuration, flag, many, moment, number, one, text

_TEMPLATES: Final = (
    "accept_edited_occurrence_template",
    "accept_edited_recurring_series_template",
    "accept_edited_single_meeting_template",
    "accept_new_recurring_series_template",
    "accept_new_single_meeting_template",
    "conference_description_template",
    "conference_name_template",
    "conference_subject_template",
    "meeting_instructions_template",
    "personal_vmr_description_template",
    "personal_vmr_instructions_template",
    "personal_vmr_location_template",
    "personal_vmr_name_template",
    "placeholder_instructions_template",
    "reject_alias_conflict_template",
    "reject_alias_deleted_template",
    "reject_general_error_template",
    "reject_invalid_alias_id_template",
    "reject_recurring_series_past_template",
    "reject_single_meeting_past",
    "scheduled_alias_description_template",
)
_PANE: Final = (
    "already_video_meeting_heading",
    "already_video_meeting_message",
    "button_title",
    "description",
    "general_error_heading",
    "general_error_message",
    "management_node_down_heading",
    "management_node_down_message",
    "personal_vmr_add_button",
    "personal_vmr_error_getting_message",
    "personal_vmr_error_inserting_meeting_message",
    "personal_vmr_error_signing_in_message",
    "personal_vmr_none_message",
    "personal_vmr_select_message",
    "personal_vmr_sign_in_button",
    "success_heading",
    "success_message",
    "title",
)
_ADDIN: Final = (
    "button_label",
    "description",
    "display_name",
    "group_label",
    "provider_name",
    "supertip_description",
    "supertip_title",
)
_URLS: Final = (
    "addin_authority_url",
    "addin_oidc_metadata_url",
    "kerberos_exchange_spn",
    "kerberos_kdc",
    "kerberos_kdc_https_proxy",
    "microsoft_fabric_components_url",
    "microsoft_fabric_url",
    "oauth_auth_endpoint",
    "oauth_redirect_uri",
    "oauth_token_endpoint",
    "office_js_url",
    "personal_vmr_adfs_relying_party_trust_identifier",
    "personal_vmr_oauth_auth_endpoint",
    "personal_vmr_oauth_token_endpoint",
    "url",
)

MS_EXCHANGE_CONNECTOR: Final = configuration(
    "ms_exchange_connector",
    text("name", default=REQUIRED, unique=True),
    text("description"),
    text("room_mailbox_email_address", 100, None, nullable=True, unique=True),
    text("room_mailbox_name"),
    *(text(name, 255) for name in _URLS),
    text("username", 100),
    text("password", 100, secret=True),
    choice("authentication_method", ("BASIC", "NTLM", "KERBEROS", "OAUTH", "APP_PERM"), "BASIC"),
    choice("auth_provider", ("ADFS", "AZURE"), "ADFS"),
    text("uuid", None, None, unique=True, readonly=True, made="uuid"),
    text("private_key", 12288, None, nullable=True, readonly=True, secret=True),
    text("public_key", 12288, None, nullable=True, readonly=True),
    text("scheduled_alias_prefix", 8, None, nullable=True, min_length=1),
    text("scheduled_alias_domain", 192),
    number("scheduled_alias_suffix_length", 5, 15, 6),
    number("meeting_buffer_before", 0, 180, 30),
    number("meeting_buffer_after", 0, 180, 60),
    flag("enable_dynamic_vmrs", default=True),
    flag("enable_personal_vmrs"),
    flag("allow_new_users", default=True),
    flag("disable_proxy"),
    flag("use_custom_add_in_sources"),
    flag("enable_addin_debug_logs"),
    text("oauth_client_id", None, None, nullable=True),
    text("oauth_client_secret", None, secret=True),
    text("oauth_refresh_token", 4096, secret=True),
    text("oauth_state", None, None, nullable=True),
    text("kerberos_realm"),
    flag("kerberos_enable_tls", default=True),
    flag("kerberos_auth_every_request"),
    flag("kerberos_verify_tls_using_custom_ca"),
    text("addin_server_domain", 192, REQUIRED),
    *(text(f"addin_{name}") for name in _ADDIN),
    text("addin_application_id", None, None, nullable=True),
    text("addin_naa_web_api_application_id", None, None, nullable=True),
    choice(
        "addin_authentication_method", ("EXCHANGE_USER_ID_TOKEN", "SSO_TOKEN", "NAA_TOKEN"), "EXCHANGE_USER_ID_TOKEN"
    ),
    text("additional_add_in_script_sources", 4096),
    text("personal_vmr_oauth_client_id", None),
    text("personal_vmr_oauth_client_secret", None, secret=True),
    many("domains", "exchange_domain", reverse="exchange_connector", whole=True, readonly=True),
    one("host_identity_provider_group", "identity_provider_group"),
    one("ivr_theme", "ivr_theme"),
    choice("non_idp_participants", NON_IDP, "disallow_all"),
    *(text(f"addin_pane_{name}") for name in _PANE),
    *(text(name, 12288) for name in _TEMPLATES),
)

EXCHANGE_DOMAIN: Final = configuration(
    "exchange_domain",
    text("domain", 192, REQUIRED, unique=True),
    one("exchange_connector", "ms_exchange_connector", REQUIRED),
    moment("creation_time", readonly=True, made="now"),
)

SCHEDULED_ALIAS: Final = configuration(
    "scheduled_alias",
    text("alias", default=REQUIRED, unique=True),
    number("alias_number", 0, None, REQUIRED),
    text("numeric_alias", default=REQUIRED),
    text("uuid", None, None, unique=True, made="uuid"),
    one("exchange_connector", "ms_exchange_connector", REQUIRED),
    flag("is_used"),
    text("ews_item_uid", 255, None, nullable=True),
    moment("creation_time", readonly=True, made="now"),
    moment("conference_deletion_time"),
)

SCHEDULED_CONFERENCE: Final = configuration(
    "scheduled_conference",
    one("conference", "conference", REQUIRED),
    moment("start_time", REQUIRED),
    moment("end_time", REQUIRED),
    text("subject", 255),
    text("ews_item_id", 255, REQUIRED),
    text("ews_item_uid", 255),
    one("recurring_conference", "recurring_conference"),
    one("scheduled_alias", "scheduled_alias"),
)

RECURRING_CONFERENCE: Final = configuration(
    "recurring_conference",
    one("conference", "conference", REQUIRED),
    number("current_index", 0, None, 0),
    text("ews_item_id", 255, REQUIRED),
    flag("is_depleted"),
    text("subject", 255),
    one("scheduled_alias", "scheduled_alias"),
)

EXCHANGE: Final = (
    MS_EXCHANGE_CONNECTOR,
    EXCHANGE_DOMAIN,
    SCHEDULED_ALIAS,
    SCHEDULED_CONFERENCE,
    RECURRING_CONFERENCE,
)
