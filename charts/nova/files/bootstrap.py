"""Makes the flavors that the values name and that are not there: FLAVORS, as JSON."""

import json
import os

import openstack


def main():
    cloud = openstack.connect()
    there = {flavor.name for flavor in cloud.compute.flavors(details=False)}
    for flavor in json.loads(os.environ["FLAVORS"]).values():
        if not flavor:
            continue
        name = flavor["name"]
        if name in there:
            print(f"{name} is there")
            continue
        made = cloud.create_flavor(
            name,
            flavor["ram"],
            flavor["vcpus"],
            flavor["disk"],
            flavorid=str(flavor.get("id") or "auto"),
            ephemeral=flavor.get("ephemeral") or 0,
            swap=flavor.get("swap") or 0,
            is_public=flavor.get("public", True),
        )
        if specs := flavor.get("extra_specs"):
            cloud.set_flavor_specs(made.id, {key: str(value) for key, value in specs.items()})
        print(f"{name}: {flavor['vcpus']} CPU, {flavor['ram']} MB, {flavor['disk']} GB")


main()
