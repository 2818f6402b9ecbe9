{{/*
An OpenStack service's API: its Deployment by uwsgi, its Services, its section for Keystone's middleware.
*/}}

{{/*
Section keystone_authtoken of a service's account. Cached tokens are encrypted where
`endpoints.oslo_cache.auth.memcache_secret_key` gives a key. (context service), as JSON.
*/}}
{{- define "toolkit.authtoken" -}}
{{- $context := index . 0 -}}
{{- $auth := index $context.Values.endpoints.identity.auth (index . 1) -}}
{{- $section := dict
  "auth_type" "password"
  "auth_url" (include "toolkit.endpoints.url" (list "identity" "internal" "api" $context))
  "www_authenticate_uri" (include "toolkit.endpoints.url" (list "identity" "public" "api" $context))
  "memcached_servers" (include "toolkit.endpoints.address" (list "oslo_cache" "internal" "memcache" $context))
  "password" (include "toolkit.endpoints.password" (list "identity" (index . 1) $context))
  "project_domain_name" $auth.project_domain_name
  "project_name" $auth.project_name
  "region_name" $auth.region_name
  "user_domain_name" $auth.user_domain_name
  "username" $auth.username
-}}
{{- with ($context.Values.endpoints.oslo_cache.auth | default dict).memcache_secret_key -}}
{{- $_ := set $section "memcache_security_strategy" "ENCRYPT" -}}
{{- $_ := set $section "memcache_secret_key" . -}}
{{- end -}}
{{- toJson $section -}}
{{- end -}}

{{/* A uwsgi.ini that listens at the service's port, and the values over it. (context type conf) */}}
{{- define "toolkit.uwsgi" -}}
{{- $port := include "toolkit.endpoints.port" (list (index . 1) "service" "api" (index . 0)) -}}
{{- $listen := dict "uwsgi" (dict "http-socket" (printf "0.0.0.0:%s" $port)) -}}
{{- include "toolkit.ini" (mergeOverwrite $listen (index . 2)) -}}
{{- end -}}

{{/*
Deployment `<application>-<component>` with its account. Keys of the dict: context, application,
component, type (of endpoints), port (its name), command (a YAML list), probes (list of the two keys
below pod.probes), path (asked by the probes), hash (the file of `<application>-etc`), mounts, volumes;
and where there are any: init (YAML of more init containers), env (YAML of a list), security (the key below
pod.security_context; the application unless given).
*/}}
{{- define "toolkit.api.deployment" -}}
{{- $context := .context -}}
{{- $application := .application -}}
{{- $component := .component -}}
{{- $security := .security | default $application -}}
{{- $name := printf "%s-%s" $application $component -}}
{{- $wait := include "toolkit.wait" (list $context $component) -}}
{{- include "toolkit.account" (list $context $component $name list) }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" (list $context $application $component) | nindent 4 }}
spec:
  replicas: {{ index $context.Values.pod.replicas $component }}
  {{- include "toolkit.strategy" $context | nindent 2 }}
  selector:
    matchLabels:
      {{- include "toolkit.labels" (list $context $application $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (list $context $application $component) | nindent 8 }}
      annotations:
        configmap-etc-hash: {{ include "toolkit.hash" (list $context .hash) }}
    spec:
      serviceAccountName: {{ $name }}
      terminationGracePeriodSeconds: {{ (index $context.Values.pod.lifecycle.termination_grace_period $component).timeout }}
      {{- include "toolkit.security.pod" (list $context $security) | nindent 6 }}
      {{- include "toolkit.apart" (list $context $application $component) | nindent 6 }}
      {{- include "toolkit.placement" (list $context $application $component $component) | nindent 6 }}
      {{- if or $wait .init }}
      initContainers:
        {{- with $wait }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with .init }}
        {{- . | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ $name }}
          {{- include "toolkit.image" (list $context (.tag | default (printf "%s_%s" $application $component))) | nindent 10 }}
          command: {{ .command }}
          {{- with .env }}
          env:
            {{- . | nindent 12 }}
          {{- end }}
          ports:
            - name: {{ .port }}
              containerPort: {{ include "toolkit.endpoints.port" (list .type "service" "api" $context) }}
          {{- $ask := printf "httpGet: {path: %s, port: %s}" .path .port }}
          {{- range $kind := list "startup" "readiness" "liveness" }}
          {{- include "toolkit.probe" (list $context (first $.probes) (last $.probes) $kind $ask) | nindent 10 }}
          {{- end }}
          {{- include "toolkit.resources" (list $context (index $context.Values.pod.resources $component)) | nindent 10 }}
          {{- include "toolkit.security.container" (list $context $security (printf "%s_%s" $application $component)) | nindent 10 }}
          volumeMounts:
            {{- .mounts | nindent 12 }}
      volumes:
        {{- .volumes | nindent 8 }}
{{- end -}}

{{/*
The Services of an API, by `manifests`: the internal one with the service's port, and the public one
at port 80 for who is inside of the cluster. Keys of the dict: context, application, component, type,
port (its name), internal and public (names of the switches in `manifests`).
*/}}
{{- define "toolkit.api.services" -}}
{{- $context := .context -}}
{{- $labels := list $context .application .component -}}
{{- if index $context.Values.manifests .internal -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "toolkit.endpoints.short" (list .type "internal" $context) }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" $labels | nindent 4 }}
spec:
  {{- if $context.Values.network.api.node_port.enabled }}
  type: NodePort
  {{- end }}
  ports:
    - name: {{ .port }}
      port: {{ include "toolkit.endpoints.port" (list .type "internal" "api" $context) }}
      targetPort: {{ .port }}
      {{- if $context.Values.network.api.node_port.enabled }}
      nodePort: {{ $context.Values.network.api.node_port.port }}
      {{- end }}
  selector:
    {{- include "toolkit.labels" $labels | nindent 4 }}
{{- end }}
{{- if index $context.Values.manifests .public }}
---
# The plain name, without a port, for who is inside of the cluster.
apiVersion: v1
kind: Service
metadata:
  name: {{ include "toolkit.endpoints.short" (list .type "public" $context) }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "toolkit.labels" $labels | nindent 4 }}
spec:
  ports:
    - name: http
      port: 80
      targetPort: {{ .port }}
  selector:
    {{- include "toolkit.labels" $labels | nindent 4 }}
{{- end }}
{{- end -}}

{{/* The Ingress of an API, by `manifests` and `network.api.ingress.public`. (dict of toolkit.api.services, and ingress: its switch) */}}
{{- define "toolkit.api.ingress" -}}
{{- $context := .context -}}
{{- if and (index $context.Values.manifests .ingress) $context.Values.network.api.ingress.public -}}
{{- include "toolkit.ingress" (list $context .type .application (include "toolkit.endpoints.short" (list .type "internal" $context)) .port) }}
{{- end -}}
{{- end -}}
