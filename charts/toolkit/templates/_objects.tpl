{{/*
Whole objects that every OpenStack service has: Jobs, an Ingress, a disruption budget.
*/}}

{{/* Hook annotations, unless `helm3_hook` is off: Jobs are then ordinary objects. (context weight) */}}
{{- define "toolkit.hook" -}}
{{- if (index . 0).Values.helm3_hook -}}
helm.sh/hook: post-install,post-upgrade
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}
{{- end -}}

{{/*
A Job. A finished one is never removed by time: pods that start later wait for it by name.
A failed pod stays, with its log; four more tries with growing pauses, and it counts as failed.
Keys of the dict: context, application, component, weight, key (of dependencies and resources),
container (YAML of one container without name, resources and security), volumes (YAML of a list or
empty), account, agent (true: the agent is copied in).
*/}}
{{- define "toolkit.job" -}}
{{- $context := .context -}}
{{- $name := printf "%s-%s" .application .component -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $name }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context .application .component) | nindent 4 }}
  {{- with include "toolkit.hook" (list $context .weight) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  backoffLimit: 4
  template:
    {{- include "toolkit.job.pod" . | nindent 4 }}
{{- end -}}

{{/* The pod of a Job or CronJob, with the dict of toolkit.job. */}}
{{- define "toolkit.job.pod" -}}
{{- $context := .context -}}
{{- $component := replace "-" "_" .component -}}
metadata:
  labels:
    {{- include "toolkit.labels" (list $context .application .component) | nindent 4 }}
spec:
  serviceAccountName: {{ printf "%s-%s" .application .component }}
  restartPolicy: Never
  {{- include "toolkit.security.pod" (list $context $component) | nindent 2 }}
  {{- include "toolkit.placement" (list $context .application .component "job") | nindent 2 }}
  {{- $wait := include "toolkit.wait" (list $context $component) }}
  {{- if or $wait .agent }}
  initContainers:
    {{- with $wait }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- if .agent }}
    {{- include "toolkit.agent" $context | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ printf "%s-%s" .application .component }}
      {{- .container | nindent 6 }}
      {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources.jobs $component)) | nindent 6 }}
      {{- include "toolkit.security.container" (list $context $component (printf "%s_%s" .application $component)) | nindent 6 }}
  {{- with .volumes }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/*
Ingress `<application>-ingress` for the public name of an endpoint type.
(context type application backend port)
*/}}
{{- define "toolkit.ingress" -}}
{{- $context := index . 0 -}}
{{- $type := index . 1 -}}
{{- $ingress := $context.Values.network.api.ingress -}}
{{- $public := get (index $context.Values.endpoints $type).host_fqdn_override "public" -}}
{{- $host := include "toolkit.endpoints.host" (list $type "public" $context) -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ index . 2 }}-ingress
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context (index . 2) "ingress") | nindent 4 }}
  {{- with $ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  ingressClassName: {{ $ingress.classes.namespace | quote }}
  {{- if and (kindIs "map" $public) (get ($public | default dict) "tls") }}
  tls:
    - hosts: [{{ $host }}]
      secretName: {{ (index $context.Values.secrets.tls $type).api.public }}
  {{- end }}
  rules:
    - host: {{ $host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ index . 3 }}
                port:
                  name: {{ index . 4 }}
{{- end -}}

{{/* (context application component minimum) */}}
{{- define "toolkit.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ index . 1 }}-{{ index . 2 }}
  namespace: {{ (index . 0).Release.Namespace }}
spec:
  minAvailable: {{ index . 3 }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" . | nindent 6 }}
{{- end -}}
