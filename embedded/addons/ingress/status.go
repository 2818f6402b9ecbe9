package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// publish writes into the Ingress objects where they are served.
func (c *controller) publish(ctx context.Context, served []*networkingv1.Ingress) error {
	if c.address == "" {
		return nil
	}
	wanted := loadBalancer(c.address)
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"loadBalancer": map[string]any{
		"ingress": []networkingv1.IngressLoadBalancerIngress{wanted},
	}}})
	if err != nil {
		return err
	}
	var problems []error
	for _, ingress := range served {
		published := ingress.Status.LoadBalancer.Ingress
		if len(published) == 1 && published[0].IP == wanted.IP && published[0].Hostname == wanted.Hostname {
			continue
		}
		_, err := c.client.NetworkingV1().Ingresses(ingress.Namespace).
			Patch(ctx, ingress.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		if err != nil && !apierrors.IsNotFound(err) {
			problems = append(problems, fmt.Errorf("status of Ingress %s: %w", owner(ingress), err))
		}
	}
	return errors.Join(problems...)
}

// loadBalancer takes an IP address or a host name.
func loadBalancer(address string) networkingv1.IngressLoadBalancerIngress {
	if _, err := netip.ParseAddr(address); err == nil {
		return networkingv1.IngressLoadBalancerIngress{IP: address}
	}
	return networkingv1.IngressLoadBalancerIngress{Hostname: address}
}
