{{/*
Names, ports and URLs from `.Values.endpoints.<type>`. All take a list: (type endpoint context) or
(type endpoint port context); the endpoint (internal, public, ...) falls back to `default`.
Types are written with underscores: oslo_db, oslo_cache, identity.
*/}}

{{/* One value of a map by endpoint, else its default; a scalar is meant for all endpoints. (map endpoint) */}}
{{- define "toolkit.endpoints.pick" -}}
{{- $map := index . 0 -}}
{{- if kindIs "map" $map -}}
{{- $own := get $map (index . 1) -}}
{{- if or (kindIs "invalid" $own) (eq (toString $own) "") -}}
{{- $own = get $map "default" -}}
{{- end -}}
{{- if not (kindIs "invalid" $own) -}}
{{- if kindIs "map" $own -}}{{ $own.host | default "" }}{{- else -}}{{ $own }}{{- end -}}
{{- end -}}
{{- else if not (kindIs "invalid" $map) -}}
{{ $map }}
{{- end -}}
{{- end -}}

{{/* Service name. (type endpoint context) */}}
{{- define "toolkit.endpoints.short" -}}
{{- $endpoint := index (index . 2).Values.endpoints (index . 0) -}}
{{- include "toolkit.endpoints.pick" (list $endpoint.hosts (index . 1)) -}}
{{- end -}}

{{- define "toolkit.endpoints.namespace" -}}
{{- $context := index . 1 -}}
{{- (index $context.Values.endpoints (index . 0)).namespace | default $context.Release.Namespace -}}
{{- end -}}

{{/* Full host name: the override, else the Service's name in the cluster. (type endpoint context) */}}
{{- define "toolkit.endpoints.host" -}}
{{- $type := index . 0 -}}
{{- $context := index . 2 -}}
{{- $endpoint := index $context.Values.endpoints $type -}}
{{- $override := include "toolkit.endpoints.pick" (list ($endpoint.host_fqdn_override | default dict) (index . 1)) -}}
{{- if $override -}}
{{ $override }}
{{- else -}}
{{ include "toolkit.endpoints.short" . }}.{{ include "toolkit.endpoints.namespace" (list $type $context) }}.svc.{{ $context.Values.endpoints.cluster_domain_suffix }}
{{- end -}}
{{- end -}}

{{/* (type endpoint port context) */}}
{{- define "toolkit.endpoints.port" -}}
{{- $ports := (index (index . 3).Values.endpoints (index . 0)).port -}}
{{- include "toolkit.endpoints.pick" (list (index $ports (index . 2)) (index . 1)) -}}
{{- end -}}

{{/* `host:port`. (type endpoint port context) */}}
{{- define "toolkit.endpoints.address" -}}
{{- $context := index . 3 -}}
{{ include "toolkit.endpoints.host" (list (index . 0) (index . 1) $context) }}:{{ include "toolkit.endpoints.port" . }}
{{- end -}}

{{/* HTTP URL with path; the port is left out where it is the scheme's own. (type endpoint port context) */}}
{{- define "toolkit.endpoints.url" -}}
{{- $name := index . 1 -}}
{{- $context := index . 3 -}}
{{- $endpoint := index $context.Values.endpoints (index . 0) -}}
{{- $scheme := include "toolkit.endpoints.pick" (list $endpoint.scheme $name) -}}
{{- $port := include "toolkit.endpoints.port" . -}}
{{- $usual := get (dict "http" "80" "https" "443") $scheme -}}
{{ $scheme }}://{{ include "toolkit.endpoints.host" (list (index . 0) $name $context) }}
{{- if ne $port $usual }}:{{ $port }}{{ end -}}
{{- include "toolkit.endpoints.pick" (list $endpoint.path $name) -}}
{{- end -}}

{{/* A password, which has no default. (type user context) */}}
{{- define "toolkit.endpoints.password" -}}
{{- $type := index . 0 -}}
{{- $user := index . 1 -}}
{{- $auth := index (index (index . 2).Values.endpoints $type).auth $user -}}
{{- required (printf "endpoints.%s.auth.%s.password: no password is given, and there is no default one" $type $user) $auth.password -}}
{{- end -}}

{{/* Database URL of a user; `path` is the database, empty for the administrator. (user path context) */}}
{{- define "toolkit.endpoints.database" -}}
{{- $user := index . 0 -}}
{{- $context := index . 2 -}}
{{- $endpoint := $context.Values.endpoints.oslo_db -}}
{{- $name := (index $endpoint.auth $user).username | urlquery | replace "+" "%20" -}}
{{- $password := include "toolkit.endpoints.password" (list "oslo_db" $user $context) | urlquery | replace "+" "%20" -}}
{{ $endpoint.scheme }}://{{ $name }}:{{ $password }}@{{ include "toolkit.endpoints.address" (list "oslo_db" "internal" "mysql" $context) }}{{ index . 1 }}
{{- end -}}

{{/* URL of the broker, by a service's own user and virtual host. (user context) */}}
{{- define "toolkit.endpoints.transport" -}}
{{- $user := index . 0 -}}
{{- $context := index . 1 -}}
{{- $endpoint := $context.Values.endpoints.oslo_messaging -}}
{{- $name := (index $endpoint.auth $user).username | urlquery | replace "+" "%20" -}}
{{- $password := include "toolkit.endpoints.password" (list "oslo_messaging" $user $context) | urlquery | replace "+" "%20" -}}
{{ $endpoint.scheme }}://{{ $name }}:{{ $password }}@{{ include "toolkit.endpoints.address" (list "oslo_messaging" "internal" "amqp" $context) }}{{ $endpoint.path }}
{{- end -}}
