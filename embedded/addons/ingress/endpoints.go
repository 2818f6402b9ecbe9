package ingress

import (
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// ready returns the addresses, host:port, of the ready endpoints behind the Service
// port of that name: sorted, each once (a slice being moved shows in two).
func ready(all []*discoveryv1.EndpointSlice, portName string) []string {
	var addresses []string
	for _, slice := range all {
		if slice.AddressType == discoveryv1.AddressTypeFQDN {
			continue
		}
		number, found := targetPort(slice, portName)
		if !found {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			// An unknown readiness counts as ready.
			if isReady := endpoint.Conditions.Ready; isReady != nil && !*isReady {
				continue
			}
			for _, address := range endpoint.Addresses {
				addresses = append(addresses, net.JoinHostPort(address, strconv.Itoa(int(number))))
			}
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

func targetPort(slice *discoveryv1.EndpointSlice, name string) (int32, bool) {
	for _, port := range slice.Ports {
		if port.Port == nil || (port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP) {
			continue
		}
		if port.Name == nil && name == "" || port.Name != nil && *port.Name == name {
			return *port.Port, true
		}
	}
	return 0, false
}

func portText(port networkingv1.ServiceBackendPort) string {
	if port.Name != "" {
		return port.Name
	}
	return strconv.Itoa(int(port.Number))
}
