{{/* placement.conf: what is known elsewhere, and the values over it. */}}
{{- define "placement.conf" -}}
{{- $known := dict
  "keystone_authtoken" (include "toolkit.authtoken" (list . "placement") | fromJson)
  "placement_database" (dict "connection" (include "toolkit.endpoints.database" (list "placement" .Values.endpoints.oslo_db.path .)))
-}}
{{- include "toolkit.ini" (mergeOverwrite $known .Values.conf.placement) -}}
{{- end -}}
