module landfall.dev/gotmpl-oracle

go 1.24
