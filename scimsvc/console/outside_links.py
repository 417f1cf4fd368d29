"""The pages of Microsoft to which the console links."""

#: Microsoft Entra's admin center.
ENTRA = "https://entra.microsoft.com/"
_ADMIN = ENTRA + "#view/Microsoft_AAD_"
_LEARN = "https://learn.microsoft.com/en-us/entra/identity/"
_PROVISIONING = _LEARN + "app-provisioning/"

#: The page of a person by the object ID.
PERSON = _ADMIN + "UsersAndTenants/UserProfileMenuBlade/~/overview/userId/{}"

#: The pages by the names that templates use.
LINKS = {
    "entra": ENTRA,
    "enterprise_applications": _ADMIN + "IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview",
    "app_registrations": _ADMIN + "RegisteredApps/ApplicationsListBlade",
    "provisioning": _PROVISIONING + "use-scim-to-provision-users-and-groups",
    "app_roles": "https://learn.microsoft.com/en-us/entra/identity-platform/howto-add-app-roles-in-apps",
    "attributes": _PROVISIONING + "customize-application-attributes",
    "how_it_works": _PROVISIONING + "how-provisioning-works",
    "on_demand": _PROVISIONING + "provision-on-demand",
    "quarantine": _PROVISIONING + "application-provisioning-quarantine-status",
    "skip_deletions": _PROVISIONING + "skip-out-of-scope-deletions",
    "assignment": _LEARN + "enterprise-apps/assign-user-or-group-access-portal",
    "logs": _LEARN + "monitoring-health/howto-analyze-provisioning-logs",
}
