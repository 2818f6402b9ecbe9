{{/* A switch as Python writes it, from true or "True". */}}
{{- define "horizon.switch" -}}
{{- eq (toString . | lower) "true" | ternary "True" "False" -}}
{{- end -}}

{{/*
local_settings.py, over Horizon's defaults. What the image was compressed for may not change here: WEBROOT, themes,
STATIC_URL. Texts and lists of texts are the same in JSON and in Python.
*/}}
{{- define "horizon.settings" -}}
{{- $config := .Values.conf.horizon.local_settings.config -}}
import json

from openstack_dashboard.settings import HORIZON_CONFIG

DEBUG = {{ include "horizon.switch" $config.debug }}
SECRET_KEY = {{ toJson (required "conf.horizon.local_settings.config.horizon_secret_key: no key is given, and there is no default one" $config.horizon_secret_key) }}

STATIC_ROOT = "/var/lib/openstack-dashboard/static/"
COMPRESS_OFFLINE = True
WEBROOT = "/"

ALLOWED_HOSTS = {{ toJson $config.allowed_hosts }}
CSRF_COOKIE_HTTPONLY = {{ include "horizon.switch" $config.csrf_cookie_httponly }}
CSRF_COOKIE_SECURE = {{ include "horizon.switch" $config.csrf_cookie_secure }}
CSRF_TRUSTED_ORIGINS = {{ toJson ($config.csrf_trusted_origins | default list) }}
SESSION_COOKIE_HTTPONLY = {{ include "horizon.switch" $config.session_cookie_httponly }}
SESSION_COOKIE_SECURE = {{ include "horizon.switch" $config.session_cookie_secure }}
DISALLOW_IFRAME_EMBED = {{ include "horizon.switch" $config.disallow_iframe_embed }}
{{- if eq (include "horizon.switch" $config.secure_proxy_ssl_header) "True" }}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
{{- end }}

SESSION_ENGINE = {{ toJson $config.session_engine }}
CACHES = {
    "default": {
        "BACKEND": {{ toJson $config.cache_backend }},
        "LOCATION": {{ toJson (include "toolkit.endpoints.address" (list "oslo_cache" "internal" "memcache" .)) }},
    },
}

OPENSTACK_KEYSTONE_URL = {{ toJson (include "toolkit.endpoints.url" (list "identity" "internal" "api" .)) }}
OPENSTACK_KEYSTONE_DEFAULT_DOMAIN = {{ toJson $config.keystone_default_domain }}
OPENSTACK_KEYSTONE_MULTIDOMAIN_SUPPORT = {{ include "horizon.switch" $config.keystone_multidomain_support }}
OPENSTACK_ENDPOINT_TYPE = {{ toJson $config.endpoint_type }}
SECONDARY_ENDPOINT_TYPE = {{ toJson $config.secondary_endpoint_type }}
OPENSTACK_SSL_NO_VERIFY = {{ include "horizon.switch" $config.ssl_no_verify }}

# Where a login leads: the overview counts servers, which nobody may see where there is no Nova.
HORIZON_CONFIG["user_home"] = lambda user: (
    "/project/" if user.has_perm("openstack.services.compute") else "/project/api_access/"
)
HORIZON_CONFIG["disable_password_reveal"] = {{ include "horizon.switch" $config.disable_password_reveal }}
HORIZON_CONFIG["password_autocomplete"] = {{ eq (include "horizon.switch" $config.password_autocomplete) "True" | ternary "\"on\"" "\"off\"" }}
ENFORCE_PASSWORD_CHECK = {{ include "horizon.switch" $config.enforce_password_check }}
HORIZON_IMAGES_UPLOAD_MODE = {{ toJson $config.horizon_images_upload_mode }}
OPENSTACK_ENABLE_PASSWORD_RETRIEVE = {{ include "horizon.switch" $config.openstack_enable_password_retrieve }}
SHOW_OPENRC_FILE = {{ include "horizon.switch" $config.show_openrc_file }}
OPENSTACK_CINDER_FEATURES = {
    {{- range $feature, $on := $config.openstack_cinder_features }}
    {{ toJson $feature }}: {{ include "horizon.switch" $on }},
    {{- end }}
}
OPENSTACK_NEUTRON_NETWORK = {
    {{- range $feature, $on := $config.openstack_neutron_network }}
    {{ toJson $feature }}: {{ include "horizon.switch" $on }},
    {{- end }}
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"handlers": ["stderr"], "level": {{ toJson $config.log_level }}, "propagate": False}
        for name in ("django.request", "horizon", "openstack_auth", "openstack_dashboard")
    },
}
{{ range $setting, $value := $config.raw }}
{{ $setting }} = json.loads({{ toJson $value | toJson }})
{{- end }}
{{- end -}}
