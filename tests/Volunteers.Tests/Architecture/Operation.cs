namespace Volunteers.Tests.Architecture;

/// <summary>
/// One operation of the API. Its route stands below <c>/v1</c>, <c>{o}</c> for the organization. Its policy is the innermost one of the
/// endpoint, null when anybody may. Its answers have one letter per caller, in the order of <see cref="World.Callers"/>: y may
/// (a success or a refusal of the domain), u 401 not signed in, n 403 not their right, 0 404 nobody there.
/// </summary>
public sealed record Operation(string Method, string Route, string Id, string? Policy, string Answers, Func<World, object>? Body = null)
{
    private const string Organization = "/v1/organizations/{organizationId}";

    public string Template => "/v1" + Route.Replace("{o}", Organization["/v1".Length..], StringComparison.Ordinal);

    public static readonly Operation[] All =
    [
        //                                                                                       anonymous
        //                                                                                       | volunteer, team coordinator, coordinator, auditor, administrator
        //                                                                                       | |     administrator elsewhere, operator
        //                                                                                       | |     |  client (coordinator), client (auditor)
        new("POST", "/accounts", "createAccount", null,                                         "y yyyyy yy yy", _ => new { invitationCode = "x", login = "a@b", password = "12345678", displayName = "A" }),
        new("GET", "/me", "getMe", "SignedIn",                                                  "u yyyyy yy yy"),
        new("GET", "/me/shifts", "listMyShifts", "SignedIn",                                    "u yyyyy yy yy"),
        new("GET", "/me/hours", "getMyHours", "SignedIn",                                       "u yyyyy yy yy"),
        new("POST", "/me/invitations", "acceptInvitation", "Account",                           "u yyyyy yy nn", _ => new { invitationCode = "x" }),
        new("GET", "/calendars/{secret}.ics", "getCalendar", null,                              "y yyyyy yy yy"),
        new("GET", "/organizations", "listOrganizations", "SignedIn",                           "u yyyyy yy yy"),
        new("POST", "/organizations", "createOrganization", "Operate",                          "u nnnnn ny nn", _ => new { name = "Another", timeZone = "Asia/Shanghai" }),
        new("GET", "{o}", "getOrganization", "Member",                                          "u yyyyy 00 yy"),
        new("PATCH", "{o}", "changeOrganization", "Administer",                                 "u nnnny 00 nn", _ => new { locale = "en" }),
        new("GET", "{o}/roles", "listRoles", "Administer",                                      "u nnnny 00 nn"),
        new("GET", "{o}/roles/{accountId}", "getRoles", "Administer",                           "u nnnny 00 nn"),
        new("PUT", "{o}/roles/{accountId}", "setRoles", "Administer",                           "u nnnny 00 nn", w => new { roles = new[] { new { role = "volunteer", volunteerId = w["ownVolunteer"] } } }),
        new("DELETE", "{o}/roles/{spareAccount}", "removeRoles", "Administer",                  "u nnnny 00 nn"),
        new("GET", "{o}/clients", "listClients", "Administer",                                  "u nnnny 00 nn"),
        new("POST", "{o}/clients", "createClient", "Administer",                                "u nnnny 00 nn", _ => new { name = "Gateway", role = "auditor" }),
        new("DELETE", "{o}/clients/{clientId}", "deleteClient", "Administer",                   "u nnnny 00 nn"),
        new("GET", "{o}/teams", "listTeams", "Member",                                          "u yyyyy 00 yy"),
        new("POST", "{o}/teams", "createTeam", "CoordinateAll",                                 "u nnyny 00 yn", w => new { name = w.Unique("Team") }),
        new("GET", "{o}/teams/{teamId}", "getTeam", "Member",                                   "u yyyyy 00 yy"),
        new("PATCH", "{o}/teams/{teamId}", "changeTeam", "CoordinateAll",                       "u nnyny 00 yn", _ => new { description = "Another" }),
        new("DELETE", "{o}/teams/{teamId}", "deleteTeam", "CoordinateAll",                      "u nnyny 00 yn"),
        new("GET", "{o}/teams/{teamId}/members", "listTeamMembers", "Member",                   "u yyyyy 00 yy"),
        new("PUT", "{o}/teams/{teamId}/members/{volunteerId}", "setTeamMember", "Coordinate",   "u nyyny 00 yn", _ => new { role = "member" }),
        new("DELETE", "{o}/teams/{teamId}/members/{spareVolunteer}", "removeTeamMember", "Coordinate", "u nyyny 00 yn"),
        new("GET", "{o}/volunteers", "listVolunteers", "Member",                                "u yyyyy 00 yy"),
        new("POST", "{o}/volunteers", "createVolunteer", "CoordinateAll",                       "u nnyny 00 yn", _ => new { name = "Somebody" }),
        new("POST", "{o}/volunteers/import", "importVolunteers", "CoordinateAll",               "u nnyny 00 yn", _ => "name\r\n"),
        new("POST", "{o}/volunteers/applications", "applyToVolunteer", null,                    "y yyyyy yy yy", _ => new { name = "Somebody", phone = "13800138000", consent = new { version = "v1" } }),
        new("POST", "{o}/volunteers/{volunteerId}/accept", "acceptApplication", "CoordinateAll", "u nnyny 00 yn", _ => new { }),
        new("POST", "{o}/volunteers/{volunteerId}/decline", "declineApplication", "CoordinateAll", "u nnyny 00 yn"),
        new("GET", "{o}/volunteers/{ownVolunteer}", "getVolunteer", "Member",                   "u yyyyy 00 yy"),
        new("PATCH", "{o}/volunteers/{volunteerId}", "changeVolunteer", "Coordinate",           "u nyyny 00 yn", _ => new { residence = "Futian" }),
        new("POST", "{o}/volunteers/{volunteerId}/invitation", "inviteVolunteer", "Coordinate", "u nyyny 00 yn"),
        new("GET", "{o}/volunteers/{ownVolunteer}/summary", "getVolunteerSummary", "Member",    "u yyyyy 00 yy"),
        new("GET", "{o}/projects", "listProjects", "Member",                                    "u yyyyy 00 yy"),
        new("POST", "{o}/projects", "createProject", "Coordinate",                              "u nyyny 00 yn", w => new { title = w.Unique("Project"), category = "patrol" }),
        new("GET", "{o}/projects/{projectId}", "getProject", "Member",                          "u yyyyy 00 yy"),
        new("PATCH", "{o}/projects/{projectId}", "changeProject", "Coordinate",                 "u nyyny 00 yn", _ => new { summary = "Another" }),
        new("GET", "{o}/activities", "listActivities", "Member",                                "u yyyyy 00 yy"),
        new("POST", "{o}/activities", "createActivity", "Coordinate",                           "u nyyny 00 yn", w => w.Activity),
        new("GET", "{o}/activities/{activityId}", "getActivity", "Member",                      "u yyyyy 00 yy"),
        new("PATCH", "{o}/activities/{activityId}", "changeActivity", "Coordinate",             "u nyyny 00 yn", _ => new { description = "Another" }),
        new("POST", "{o}/activities/{spareActivity}/publish", "publishActivity", "Coordinate",  "u nyyny 00 yn"),
        new("POST", "{o}/activities/{activityId}/cancel", "cancelActivity", "Coordinate",       "u nyyny 00 yn", _ => new { reason = "Rain" }),
        new("POST", "{o}/activities/{spareActivity}/complete", "completeActivity", "Coordinate", "u nyyny 00 yn", _ => new { }),
        new("GET", "{o}/activities/{activityId}/shifts", "listShifts", "Member",                "u yyyyy 00 yy"),
        new("POST", "{o}/activities/{activityId}/shifts", "createShift", "Coordinate",          "u nyyny 00 yn", _ => new { name = "Crossing" }),
        new("GET", "{o}/shifts/{shiftId}", "getShift", "Member",                                "u yyyyy 00 yy"),
        new("PATCH", "{o}/shifts/{shiftId}", "changeShift", "Coordinate",                       "u nyyny 00 yn", _ => new { name = "Crossing" }),
        new("DELETE", "{o}/shifts/{shiftId}", "deleteShift", "Coordinate",                      "u nyyny 00 yn"),
        new("GET", "{o}/shifts/{shiftId}/sign-ups", "listSignUps", "Member",                    "u yyyyy 00 yy"),
        new("POST", "{o}/shifts/{shiftId}/sign-ups", "signUpForShift", "TakePart",              "u yyyny 00 yn", w => new { volunteerId = w["ownVolunteer"] }),
        new("GET", "{o}/shifts/{shiftId}/sign-ups/{ownVolunteer}", "getSignUp", "Member",       "u yyyyy 00 yy"),
        new("DELETE", "{o}/shifts/{shiftId}/sign-ups/{ownVolunteer}", "cancelSignUp", "TakePart", "u yyyny 00 yn"),
        new("GET", "{o}/shifts/{shiftId}/groups", "listShiftGroups", "Read",                    "u nyyyy 00 yy"),
        new("POST", "{o}/shifts/{shiftId}/groups", "createShiftGroup", "Coordinate",            "u nyyny 00 yn", _ => new { title = "Class", places = 2 }),
        new("POST", "{o}/shifts/{shiftId}/groups/{groupId}/names", "nameGroupPlace", "Coordinate", "u nyyny 00 yn", w => new { volunteerId = w["volunteerId"] }),
        new("DELETE", "{o}/shifts/{shiftId}/groups/{groupId}", "giveBackGroupPlaces", "Coordinate", "u nyyny 00 yn"),
        new("GET", "{o}/shifts/{shiftId}/check-in-code", "getCheckInCode", "TakePart",          "u 0yyny 00 yn"),
        new("POST", "{o}/shifts/{shiftId}/check-in", "checkIn", "TakePart",                     "u yyyny 00 yn", w => new { volunteerId = w["ownVolunteer"] }),
        new("POST", "{o}/shifts/{shiftId}/check-out", "checkOut", "TakePart",                   "u yyyny 00 yn", w => new { volunteerId = w["ownVolunteer"] }),
        new("GET", "{o}/shifts/{shiftId}/attendance", "listAttendance", "Member",               "u yyyyy 00 yy"),
        new("POST", "{o}/attendance/batch", "sendAttendanceBatch", "TakePart",                  "u yyyny 00 yn", w => w.OfflineAttendance),
        new("GET", "{o}/attendance/exceptions", "listAttendanceExceptions", "Read",             "u nyyyy 00 yy"),
        new("POST", "{o}/activities/{occurrenceId}/detach", "detachActivity", "Coordinate",     "u nyyny 00 yn"),
        new("GET", "{o}/series", "listSeries", "Member",                                        "u yyyyy 00 yy"),
        new("POST", "{o}/series", "createSeries", "Coordinate",                                 "u nyyny 00 yn", w => w.Series),
        new("GET", "{o}/series/{seriesId}", "getSeries", "Member",                              "u yyyyy 00 yy"),
        new("PATCH", "{o}/series/{seriesId}", "changeSeries", "Coordinate",                     "u nyyny 00 yn", _ => new { description = "Another" }),
        new("GET", "{o}/series/{seriesId}/sign-ups", "listStandingSignUps", "Member",           "u yyyyy 00 yy"),
        new("POST", "{o}/series/{seriesId}/sign-ups", "standingSignUp", "TakePart",             "u yyyny 00 yn", w => new { volunteerId = w["ownVolunteer"] }),
        new("DELETE", "{o}/series/{seriesId}/sign-ups/{ownVolunteer}", "endStandingSignUp", "TakePart", "u y00n0 00 0n"),
        new("DELETE", "{o}/series/{seriesId}", "endSeries", "Coordinate",                       "u nyyny 00 yn"),
        new("GET", "{o}/calendar-feeds", "listCalendarFeeds", "Member",                         "u yyyyy 00 yy"),
        new("POST", "{o}/calendar-feeds", "createCalendarFeed", "Member",                       "u yyyyy 00 yy", _ => new { kind = "organization" }),
        // Only who made a feed revokes it; for everybody else it is not there.
        new("DELETE", "{o}/calendar-feeds/{feedId}", "revokeCalendarFeed", "Member",            "u y0000 00 00"),
        new("GET", "{o}/service-records", "listServiceRecords", "Member",                       "u yyyyy 00 yy"),
        new("POST", "{o}/service-records", "recordService", "TakePart",                         "u yyyny 00 yn", w => w.Service),
        new("POST", "{o}/service-records/batch", "recordServiceBatch", "Coordinate",            "u nyyny 00 yn", w => new { items = new[] { w.Service } }),
        new("POST", "{o}/service-records/approvals", "approveServiceRecords", "Coordinate",     "u nyyny 00 yn", w => new { recordIds = new[] { w["recordId"] } }),
        new("GET", "{o}/service-records/{recordId}", "getServiceRecord", "Member",              "u yyyyy 00 yy"),
        new("GET", "{o}/service-records/{recordId}/history", "getServiceRecordHistory", "Member", "u yyyyy 00 yy"),
        new("POST", "{o}/service-records/{recordId}/approve", "approveServiceRecord", "Coordinate", "u nyyny 00 yn"),
        new("POST", "{o}/service-records/{recordId}/reject", "rejectServiceRecord", "Coordinate", "u nyyny 00 yn", _ => new { reason = "Wrong" }),
        new("POST", "{o}/service-records/{recordId}/correct", "correctServiceRecord", "Coordinate", "u nyyny 00 yn", _ => new { reason = "Wrong", minutes = 30 }),
        new("POST", "{o}/service-records/{recordId}/claims", "claimHeadcount", "Coordinate",    "u nyyny 00 yn", w => new { volunteerId = w["volunteerId"] }),
        new("POST", "{o}/service-records/{spareRecord}/void", "voidServiceRecord", "Coordinate", "u nyyny 00 yn", _ => new { reason = "Wrong" }),
        new("GET", "{o}/ledger", "listPostings", "Read",                                        "u nyyyy 00 yy"),
        new("GET", "{o}/ledger/verification", "verifyLedger", "Read",                           "u nyyyy 00 yy"),
        new("GET", "{o}/reports/hours", "getHourReport", "Read",                                "u nyyyy 00 yy"),
        new("GET", "{o}/reports/activities", "getActivityReport", "Read",                       "u nyyyy 00 yy"),
    ];
}
