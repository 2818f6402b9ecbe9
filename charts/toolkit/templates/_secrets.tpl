{{/*
Secrets and ConfigMaps that every OpenStack service has.
*/}}

{{/*
Credentials of an account of `endpoints.identity.auth` as OS_* variables, in the Secret that
`secrets.identity` names. (context user)
*/}}
{{- define "toolkit.secret.identity" -}}
{{- $context := index . 0 -}}
{{- $user := index . 1 -}}
{{- $auth := index $context.Values.endpoints.identity.auth $user -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ index $context.Values.secrets.identity $user }}
  namespace: {{ $context.Release.Namespace }}
type: Opaque
data:
  OS_AUTH_URL: {{ include "toolkit.endpoints.url" (list "identity" "internal" "api" $context) | b64enc }}
  OS_DEFAULT_DOMAIN: {{ $auth.default_domain_id | default "default" | b64enc }}
  OS_ENDPOINT_TYPE: {{ "internalURL" | b64enc }}
  OS_IDENTITY_API_VERSION: {{ "3" | b64enc }}
  OS_INTERFACE: {{ "internal" | b64enc }}
  OS_PASSWORD: {{ include "toolkit.endpoints.password" (list "identity" $user $context) | b64enc }}
  OS_PROJECT_DOMAIN_NAME: {{ $auth.project_domain_name | b64enc }}
  OS_PROJECT_NAME: {{ $auth.project_name | b64enc }}
  OS_REGION_NAME: {{ $auth.region_name | b64enc }}
  OS_USER_DOMAIN_NAME: {{ $auth.user_domain_name | b64enc }}
  OS_USERNAME: {{ $auth.username | b64enc }}
{{- end -}}

{{/* The administrator's and the service's own credentials, as `manifests.secret_keystone` says. (context service) */}}
{{- define "toolkit.secrets.identity" -}}
{{- $context := index . 0 -}}
{{- if $context.Values.manifests.secret_keystone -}}
{{ include "toolkit.secret.identity" (list $context "admin") }}
---
{{ include "toolkit.secret.identity" (list $context (index . 1)) }}
{{- end -}}
{{- end -}}

{{/* Database URL of a user, in the Secret that `secrets.oslo_db` names. (context user path) */}}
{{- define "toolkit.secret.database" -}}
{{- $context := index . 0 -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ index $context.Values.secrets.oslo_db (index . 1) }}
  namespace: {{ $context.Release.Namespace }}
type: Opaque
data:
  DB_CONNECTION: {{ include "toolkit.endpoints.database" (list (index . 1) (index . 2) $context) | b64enc }}
{{- end -}}

{{/* The database's administrator and the service's own account, as `manifests.secret_db` says. (context service) */}}
{{- define "toolkit.secrets.database" -}}
{{- $context := index . 0 -}}
{{- if $context.Values.manifests.secret_db -}}
{{ include "toolkit.secret.database" (list $context "admin" "") }}
---
{{ include "toolkit.secret.database" (list $context (index . 1) $context.Values.endpoints.oslo_db.path) }}
{{- end -}}
{{- end -}}

{{/* Certificate of the public name, where `host_fqdn_override.public.tls` gives one. (context type) */}}
{{- define "toolkit.secret.tls" -}}
{{- $context := index . 0 -}}
{{- $public := get (index $context.Values.endpoints (index . 1)).host_fqdn_override "public" -}}
{{- if and $context.Values.manifests.secret_ingress_tls (kindIs "map" $public) -}}
{{- with get ($public | default dict) "tls" -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ (index $context.Values.secrets.tls (index $ 1)).api.public }}
  namespace: {{ $context.Release.Namespace }}
type: kubernetes.io/tls
data:
  tls.crt: {{ .crt | b64enc }}
  tls.key: {{ .key | b64enc }}
  {{- with .ca }}
  ca.crt: {{ . | b64enc }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Secret `<application>-etc` from the texts of its files. (context application {file: text}) */}}
{{- define "toolkit.secret.etc" -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ index . 1 }}-etc
  namespace: {{ (index . 0).Release.Namespace }}
type: Opaque
data:
  {{- range $file, $text := index . 2 }}
  {{ $file }}: {{ $text | trim | b64enc }}
  {{- end }}
{{- end -}}

{{/* ConfigMap `<application>-bin`: the scripts that Jobs run. (context application {file: text}) */}}
{{- define "toolkit.bin" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ index . 1 }}-bin
  namespace: {{ (index . 0).Release.Namespace }}
data:
  {{- range $file, $text := index . 2 }}
  {{ $file }}: |
    {{- $text | trim | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "toolkit.bin.volumes" -}}
- name: bin
  configMap:
    name: {{ . }}-bin
    defaultMode: 0444
{{- end -}}

{{- define "toolkit.bin.mounts" -}}
- name: bin
  mountPath: /opt/landfall
  readOnly: true
{{- end -}}

{{/*
The whole folder /etc/<application> is the Secret: the image's own files are not wanted. (application)
*/}}
{{- define "toolkit.etc.volumes" -}}
- name: tmp
  emptyDir: {}
- name: etc
  secret:
    secretName: {{ . }}-etc
    defaultMode: 0440
{{- end -}}

{{- define "toolkit.etc.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: etc
  mountPath: /etc/{{ . }}
  readOnly: true
{{- end -}}
