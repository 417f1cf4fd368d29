"""A User with a value for nearly every attribute that this service stores."""

from typing import Any

from tests.support.urns import ENTERPRISE_URN, USER_URN

FULL_USER: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test User",
    "name": {
        "formatted": "Ms. Test A User, III",
        "familyName": "User",
        "givenName": "Test",
        "middleName": "A",
        "honorificPrefix": "Ms.",
        "honorificSuffix": "III",
    },
    "displayName": "  Test\tUser ",
    "nickName": "Tester",
    "profileUrl": "no url at all",
    "title": "Engineer <b>",
    "userType": "Employee",
    "preferredLanguage": "en-XX",
    "locale": "nowhere",
    "timezone": "Somewhere/Else",
    "active": False,
    "emails": [
        {"value": "Test.User@Contoso.example", "type": "Work", "primary": True, "display": "Work"},
        {"value": "home, sweet", "type": "home"},
    ],
    "phoneNumbers": [{"value": "tel:+1-201-555-0123 x 4", "type": "work"}, {"value": "0"}],
    "ims": [{"value": "someone", "type": "aim"}],
    "photos": [{"value": "photo", "type": "thumbnail"}],
    "addresses": [{"type": "work", "streetAddress": "1\nStreet", "country": "USA", "primary": True}],
    "entitlements": [{"value": "one"}],
    "roles": [{"value": "uSER", "display": "The role", "type": "x", "primary": True}],
    "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx"}],
    ENTERPRISE_URN: {
        "employeeNumber": "701984",
        "costCenter": "4130",
        "organization": "Contoso 😀",
        "division": "Theme Park",
        "department": "Tour Operations",
        "manager": {"value": "26118915", "$ref": "../Users/26118915", "displayName": "A Manager"},
    },
}
