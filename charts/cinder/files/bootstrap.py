"""Makes the volume types that are not there by name: TYPES, as JSON by name. What is there stays as it is, but for
properties that it lacks."""

import json
import os
import sys

import openstack


def bring(storage, identity, known, name, wanted):
    public = wanted.pop("access_type", "public") != "private"
    grants = wanted.pop("grant_access", None) or {}
    properties = {key: str(value) for key, value in wanted.items() if value is not None}
    if name in known:
        kind = storage.get_type(known[name])
    else:
        kind = storage.create_type(name=name, is_public=public)
        print(f"made the type {name}")
    lacking = {key: value for key, value in properties.items() if key not in (kind.extra_specs or {})}
    if lacking:
        storage.update_type_extra_specs(kind, **lacking)
        print(f"{name} has now {lacking}")
    if public:
        return
    for domain, projects in grants.items():
        found = identity.find_domain(domain)
        if found is None:
            sys.exit(f"there is no domain {domain}, which bootstrap.volume_types.{name}.grant_access names")
        for project in projects:
            owner = identity.find_project(project, domain_id=found.id)
            if owner is None:
                sys.exit(f"there is no project {project} in {domain}, which bootstrap.volume_types.{name}.grant_access names")
            if owner.id not in {access["project_id"] for access in storage.get_type_access(kind)}:
                storage.add_type_access(kind, owner.id)


def main():
    cloud = openstack.connect()
    storage = cloud.block_storage
    # Private ones too, which a plain list leaves out.
    listed = storage.get("/types", params={"is_public": "None"}).json()["volume_types"]
    known = {kind["name"]: kind["id"] for kind in listed}
    for name, wanted in json.loads(os.environ["TYPES"]).items():
        bring(storage, cloud.identity, known, name, wanted)


main()
