"""A stack as its tests know it, in whichever back end it is."""

from collections.abc import Mapping
from typing import Protocol

from provision.aws.session import Aws
from provision.core.resource import Provider
from provision.spec.blueprint import Blueprint


class Admin(Protocol):
    """Who may do everything in a stack's account."""

    @property
    def aws(self) -> Aws:
        """The clients that act so."""

    @property
    def blueprint(self) -> Blueprint:
        """The stack."""


class Provisioner(Admin, Protocol):
    """Who can change the stack's resources as well."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Who provides each kind."""
