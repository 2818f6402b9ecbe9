{{/*
rabbitmq.conf from nested maps: {a: {b: 1}} is `a.b = 1`. (map prefix)
*/}}
{{- define "rabbitmq.conf" -}}
{{- $prefix := index . 1 -}}
{{- range $name, $value := index . 0 -}}
{{- if kindIs "map" $value -}}
{{- include "rabbitmq.conf" (list $value (printf "%s%s." $prefix $name)) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{ $prefix }}{{ $name }} = {{ if kindIs "string" $value }}{{ $value }}{{ else }}{{ toJson $value }}{{ end }}
{{ end -}}
{{- end -}}
{{- end -}}

{{/*
What is imported at every start, so that changed passwords are taken over. The names of users and
virtual hosts are the broker's whole truth: with it there is no user guest.
*/}}
{{- define "rabbitmq.definitions" -}}
{{- $type := .Values.conf.rabbitmq.default_queue_type | default "classic" -}}
{{- $admin := .Values.endpoints.oslo_messaging.auth.user -}}
{{- $password := include "toolkit.endpoints.password" (list "oslo_messaging" "user" .) -}}
{{- $users := list (dict "name" $admin.username "password" $password "tags" "administrator" "limits" dict) -}}
{{- $vhosts := list (dict "name" "/" "default_queue_type" $type) -}}
{{- $all := dict "configure" ".*" "write" ".*" "read" ".*" -}}
{{- $permissions := list (merge (dict "user" $admin.username "vhost" "/") $all) -}}
{{- range $service, $given := .Values.conf.users -}}
{{- $vhost := trimPrefix "/" ($given.path | default "/") | default "/" -}}
{{- if ne $vhost "/" -}}
{{- $vhosts = append $vhosts (dict "name" $vhost "default_queue_type" $type) -}}
{{- $permissions = append $permissions (merge (dict "user" $admin.username "vhost" $vhost) $all) -}}
{{- end -}}
{{- range $given.auth -}}
{{- $users = append $users (dict "name" .username "password" .password "tags" "" "limits" dict) -}}
{{- $permissions = append $permissions (merge (dict "user" .username "vhost" $vhost) $all) -}}
{{- end -}}
{{- end -}}
{{- dict "users" $users "vhosts" ($vhosts | uniq) "permissions" $permissions | mergeOverwrite (deepCopy (.Values.conf.aux_conf | default dict)) | toJson -}}
{{- end -}}
