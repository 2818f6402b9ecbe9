{{/*
Parts of pods: labels, images, resources, placement, probes, security.
*/}}

{{/* Labels by which selectors find things. (context application component) */}}
{{- define "toolkit.labels" -}}
{{- $context := index . 0 -}}
release_group: {{ $context.Values.release_group | default $context.Release.Name }}
application: {{ index . 1 }}
component: {{ index . 2 }}
{{- end -}}

{{/* Image and pull policy by its tag's name. (context tag) */}}
{{- define "toolkit.image" -}}
{{- $context := index . 0 -}}
image: {{ index $context.Values.images.tags (index . 1) | quote }}
imagePullPolicy: {{ $context.Values.images.pull_policy }}
{{- end -}}

{{/* Requests and limits, unless `pod.resources.enabled` is false. (context resources) */}}
{{- define "toolkit.resources" -}}
{{- $resources := index . 1 -}}
{{- if and (index . 0).Values.pod.resources.enabled $resources -}}
resources:
  {{- toYaml $resources | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* What a pod has whatever it does. (context application component label) */}}
{{- define "toolkit.placement" -}}
{{- $context := index . 0 -}}
{{- $application := index . 1 -}}
{{- $label := index $context.Values.labels (index . 3) -}}
nodeSelector:
  {{ $label.node_selector_key }}: {{ $label.node_selector_value | quote }}
{{- with index ($context.Values.pod.tolerations | default dict) $application }}
{{- if .enabled }}
tolerations:
  {{- toYaml .tolerations | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Keeps replicas apart, softly or by force as `pod.affinity.anti` says. (context application component) */}}
{{- define "toolkit.apart" -}}
{{- $context := index . 0 -}}
{{- $component := index . 2 -}}
{{- $anti := $context.Values.pod.affinity.anti -}}
{{- $type := include "toolkit.endpoints.pick" (list $anti.type $component) -}}
affinity:
  podAntiAffinity:
    {{ $type }}:
      {{- if hasPrefix "preferred" $type }}
      - weight: {{ include "toolkit.endpoints.pick" (list $anti.weight $component) }}
        podAffinityTerm:
          topologyKey: {{ include "toolkit.endpoints.pick" (list $anti.topologyKey $component) }}
          labelSelector:
            matchLabels:
              {{- include "toolkit.labels" . | nindent 14 }}
      {{- else }}
      - topologyKey: {{ include "toolkit.endpoints.pick" (list $anti.topologyKey $component) }}
        labelSelector:
          matchLabels:
            {{- include "toolkit.labels" . | nindent 12 }}
      {{- end }}
{{- end -}}

{{/* `pod.security_context.<application>.pod`. (context application) */}}
{{- define "toolkit.security.pod" -}}
{{- with index (index . 0).Values.pod.security_context (index . 1) -}}
securityContext:
  {{- toYaml .pod | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* `pod.security_context.<application>.container.<container>`, over the strictest. (context application container) */}}
{{- define "toolkit.security.container" -}}
{{- $strict := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- $application := index (index . 0).Values.pod.security_context (index . 1) | default dict -}}
{{- $own := index ($application.container | default dict) (index . 2) | default dict -}}
securityContext:
  {{- toYaml (mergeOverwrite $strict $own) | nindent 2 }}
{{- end -}}

{{/*
A probe as `pod.probes.<component>.<container>.<type>` has it. `do` is YAML of what is asked.
(context component container type do)
*/}}
{{- define "toolkit.probe" -}}
{{- $type := index . 3 -}}
{{- $probe := index (index (index (index . 0).Values.pod.probes (index . 1)) (index . 2)) $type -}}
{{- if and $probe $probe.enabled -}}
{{ $type }}Probe:
  {{- index . 4 | nindent 2 }}
  {{- toYaml $probe.params | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Strategy of Deployments as `pod.lifecycle.upgrades.deployments` says. (context) */}}
{{- define "toolkit.strategy" -}}
{{- with .Values.pod.lifecycle.upgrades.deployments -}}
revisionHistoryLimit: {{ .revision_history }}
strategy:
  type: {{ .pod_replacement_strategy }}
  {{- if eq .pod_replacement_strategy "RollingUpdate" }}
  rollingUpdate:
    maxUnavailable: {{ .rolling_update.max_unavailable }}
    maxSurge: {{ .rolling_update.max_surge }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* A digest of a rendered file, so that pods roll when it changes. (context file) */}}
{{- define "toolkit.hash" -}}
{{- $context := index . 0 -}}
{{- include (print $context.Template.BasePath "/" (index . 1)) $context | sha256sum -}}
{{- end -}}

{{/* Copies the agent to where the containers of other images find it. (context) */}}
{{- define "toolkit.agent" -}}
- name: agent
  {{- include "toolkit.image" (list . "dep_check") | nindent 2 }}
  command: [landfall-agent, install, /opt/landfall/bin]
  {{- include "toolkit.security.container" (list . "" "agent") | nindent 2 }}
  volumeMounts:
    - name: agent
      mountPath: /opt/landfall/bin
{{- end -}}

{{/* As toolkit.placement, where the label is given itself. (context application label) */}}
{{- define "toolkit.agent.placement" -}}
{{- $context := index . 0 -}}
{{- $label := index . 2 -}}
nodeSelector:
  {{ $label.node_selector_key }}: {{ $label.node_selector_value | quote }}
{{- with index ($context.Values.pod.tolerations | default dict) (index . 1) }}
{{- if .enabled }}
tolerations:
  {{- toYaml .tolerations | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Strategy of DaemonSets as `pod.lifecycle.upgrades.daemonsets` says. (context component) */}}
{{- define "toolkit.daemonset.strategy" -}}
{{- $upgrades := (index . 0).Values.pod.lifecycle.upgrades.daemonsets -}}
{{- $own := index $upgrades (index . 1) -}}
{{- if and $own.enabled (eq $upgrades.pod_replacement_strategy "RollingUpdate") -}}
minReadySeconds: {{ $own.min_ready_seconds }}
updateStrategy:
  type: RollingUpdate
  rollingUpdate:
    maxUnavailable: {{ $own.max_unavailable }}
{{- else -}}
updateStrategy:
  type: OnDelete
{{- end -}}
{{- end -}}
