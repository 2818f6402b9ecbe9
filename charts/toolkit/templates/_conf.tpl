{{/*
An oslo.config file from a map of sections: {section: {option: value}}. Lists are joined by commas;
{type: multistring, values: [...]} writes the option once a value; null leaves the option out.
Numbers go through JSON, since Go prints big ones with an exponent.
*/}}
{{- define "toolkit.ini" -}}
{{- range $section, $options := . }}
{{- if kindIs "map" $options }}
[{{ $section }}]
{{- range $option, $value := $options }}
{{- if kindIs "invalid" $value }}
{{- else if kindIs "string" $value }}
{{ $option }} = {{ $value }}
{{- else if kindIs "slice" $value }}
{{ $option }} = {{ join "," $value }}
{{- else if kindIs "map" $value }}
{{- if eq (toString $value.type) "multistring" }}
{{- range $value.values }}
{{ $option }} = {{ . }}
{{- end }}
{{- else if eq (toString $value.type) "csv" }}
{{ $option }} = {{ join "," $value.values }}
{{- else }}
{{- fail (printf "conf: %s.%s: a map must have the type multistring or csv" $section $option) }}
{{- end }}
{{- else }}
{{ $option }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{ end }}
{{- end }}
{{- end -}}

{{/* policy.yaml of `conf.policy`; never empty, since oslo.policy wants a map or a comment. (context) */}}
{{- define "toolkit.policy" -}}
{{- with .Values.conf.policy }}{{ toYaml . }}{{ else }}# The service's own rules hold.{{ end -}}
{{- end -}}
