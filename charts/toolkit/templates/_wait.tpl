{{/*
Waiting for others, in kubernetes-entrypoint's words, and what a pod may read for it.
`dependencies.static.<key>` holds jobs, services ({service, endpoint}), pod, daemonset,
custom_resources; and Landfall's own secrets and configmaps.
*/}}

{{/* The init container; nothing where there is nothing to wait for. (context key) */}}
{{- define "toolkit.wait" -}}
{{- $context := index . 0 -}}
{{- $needs := index $context.Values.dependencies.static (index . 1) | default dict -}}
{{- $env := list -}}
{{- $services := list -}}
{{- range $needs.services -}}
{{- $namespace := include "toolkit.endpoints.namespace" (list .service $context) -}}
{{- $services = append $services (printf "%s:%s" $namespace (include "toolkit.endpoints.short" (list .service .endpoint $context))) -}}
{{- end -}}
{{- with $services }}{{ $env = append $env (dict "name" "DEPENDENCY_SERVICE" "value" (join "," .)) }}{{ end -}}
{{- with $needs.jobs -}}
{{- if kindIs "map" (first .) -}}
{{- $env = append $env (dict "name" "DEPENDENCY_JOBS_JSON" "value" (toJson .)) -}}
{{- else -}}
{{- $env = append $env (dict "name" "DEPENDENCY_JOBS" "value" (join "," .)) -}}
{{- end -}}
{{- end -}}
{{- with $needs.pod }}{{ $env = append $env (dict "name" "DEPENDENCY_POD_JSON" "value" (toJson .)) }}{{ end -}}
{{- with $needs.daemonset }}{{ $env = append $env (dict "name" "DEPENDENCY_DAEMONSET" "value" (join "," .)) }}{{ end -}}
{{- with $needs.custom_resources }}{{ $env = append $env (dict "name" "DEPENDENCY_CUSTOM_RESOURCE" "value" (toJson .)) }}{{ end -}}
{{- with $needs.secrets }}{{ $env = append $env (dict "name" "DEPENDENCY_SECRETS" "value" (join "," .)) }}{{ end -}}
{{- with $needs.configmaps }}{{ $env = append $env (dict "name" "DEPENDENCY_CONFIGMAPS" "value" (join "," .)) }}{{ end -}}
{{- if $env -}}
- name: init
  {{- include "toolkit.image" (list $context "dep_check") | nindent 2 }}
  command: [kubernetes-entrypoint]
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: NAMESPACE
      valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
    {{- range $env }}
    - name: {{ .name }}
      value: {{ .value | quote }}
    {{- end }}
  {{- include "toolkit.security.container" (list $context "" "init") | nindent 2 }}
{{- end -}}
{{- end -}}

{{/*
Service account of a pod, with the least that its waiting wants and the rules given beside it.
(context key name rules), where rules is a list of Role rules.
*/}}
{{- define "toolkit.account" -}}
{{- $context := index . 0 -}}
{{- $name := index . 2 -}}
{{- $needs := index $context.Values.dependencies.static (index . 1) | default dict -}}
{{- $own := $context.Release.Namespace -}}
{{- $read := list "get" "list" "watch" -}}
{{- $rules := dict $own list -}}
{{- range $needs.services -}}
{{- $namespace := include "toolkit.endpoints.namespace" (list .service $context) -}}
{{- $_ := set $rules $namespace (list (dict "apiGroups" (list "discovery.k8s.io") "resources" (list "endpointslices") "verbs" $read)) -}}
{{- end -}}
{{- $more := get $rules $own -}}
{{- if $needs.jobs -}}
{{- $more = append $more (dict "apiGroups" (list "batch") "resources" (list "jobs") "verbs" $read) -}}
{{- end -}}
{{- if $needs.daemonset -}}
{{- $more = append $more (dict "apiGroups" (list "apps") "resources" (list "daemonsets") "verbs" $read) -}}
{{- end -}}
{{- if or $needs.jobs $needs.pod $needs.daemonset -}}
{{- $more = append $more (dict "apiGroups" (list "") "resources" (list "pods") "verbs" $read) -}}
{{- end -}}
{{- range $resource := list "secrets" "configmaps" -}}
{{- range $wanted := get $needs $resource | default list -}}
{{- $more = append $more (dict "apiGroups" (list "") "resources" (list $resource) "resourceNames" (list (splitList "/" $wanted | first)) "verbs" $read) -}}
{{- end -}}
{{- end -}}
{{- range $needs.custom_resources -}}
{{- $more = append $more (dict "apiGroups" (list (splitList "/" .apiVersion | first)) "resources" (list (.resource | default (printf "%ss" (lower .kind)))) "verbs" $read) -}}
{{- end -}}
{{- $_ := set $rules $own (concat $more (index . 3)) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $own }}
{{- range $namespace, $list := $rules }}
{{- if $list }}
{{- $role := ternary $name (printf "%s-%s" $own $name) (eq $namespace $own) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $role }}
  namespace: {{ $namespace }}
rules:
  {{- toYaml $list | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $role }}
  namespace: {{ $namespace }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $role }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $own }}
{{- end }}
{{- end }}
{{- end -}}
