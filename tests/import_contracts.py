"""A contract for import-linter that holds for domains that do not exist yet."""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class PrivateStorage(Contract):
    """The modules named `private` of each of `packages` are imported from inside that package only.

    The contract type `protected` says this of one package; this one says it of all that match an expression, so a
    new domain is held to it without another line of configuration.
    """

    packages = fields.SetField(subfield=fields.ModuleExpressionField())
    private = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the imports that break it."""
        del verbose
        packages = module_expressions_to_modules(graph, cast("set[ModuleExpression]", self.packages))
        illegal = [
            (importer, imported)
            for package in packages
            for imported in self._private_modules(graph, package.name)
            for importer in graph.find_modules_that_directly_import(imported)
            if not f"{importer}.".startswith(f"{package.name}.")
        ]
        return ContractCheck(kept=not illegal, metadata={"illegal": sorted(illegal)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name them."""
        for importer, imported in check.metadata["illegal"]:
            output.print_error(f"{importer} must not import {imported}", bold=False)

    def _private_modules(self, graph: ImportGraph, package: str) -> list[str]:
        roots = {f"{package}.{name}" for name in cast("set[str]", self.private)} & graph.modules
        return [module for root in roots for module in (root, *graph.find_descendants(root))]
