using System.Globalization;
using QRCoder;
using Volunteers.Features.Hours;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Platform.Pdf;

namespace Volunteers.Features.Certificates;

/// <summary>How a certificate stopped being valid.</summary>
/// <param name="On">The organization's local day of it.</param>
/// <param name="SupersededBy">The number of the one that replaces it; null when it was revoked.</param>
internal sealed record CertificateEnded(DateOnly On, string? SupersededBy);

/// <summary>Draws a certificate on A4 in one language, its heading in both: the same certificate gives the same page for ever, but for its status.</summary>
internal sealed class CertificatePdf(Certificate certificate, CertificateEnded? ended, string verifyUrl)
{
    private const double QrSize = 84, SealSize = 110, StatementHeight = 14.5;

    /// <summary>Where the organization has not said: the place stays, to be written in.</summary>
    private const string ByHand = "____________________";

    /// <summary>Texts come in the language of the request; here that is the certificate's.</summary>
    public static byte[] Draw(Certificate certificate, CertificateEnded? ended, string verifyUrl, string language) =>
        Languages.In(CultureInfo.GetCultureInfo(language), () => new CertificatePdf(certificate, ended, verifyUrl).Draw(language));

    private byte[] Draw(string language)
    {
        var file = new PdfFile($"{Messages.Title("certificate_title")} {certificate.Number}", certificate.Organization, language);
        var flow = new PdfFlow(file);
        Head(flow);
        Totals(flow);
        Lines(flow);
        Foot(flow);
        flow.Footer($"{certificate.Number} · {Messages.Title("certificate_no_commercial_use")} · {certificate.Organization}",
            (page, pages) => Messages.Detail("certificate_page", page, pages));
        return file.ToArray();
    }

    private void Head(PdfFlow flow)
    {
        var (own, other) = Languages.IsChinese ? (Languages.Chinese, Languages.English) : (Languages.English, Languages.Chinese);
        flow.Paragraph(Messages.TitleIn(own, "certificate_title"), 20, bold: true, PdfAlign.Center);
        flow.Paragraph(Messages.TitleIn(other, "certificate_title"), 12, align: PdfAlign.Center, grey: 0.3);
        flow.Space(6);
        flow.Paragraph($"{Messages.Title("certificate_number")} {certificate.Number}", 10, align: PdfAlign.Right);
        if (ended is { SupersededBy: { } successor }) flow.Paragraph(Messages.Detail("verify_superseded", successor), 13, bold: true, PdfAlign.Center);
        else if (ended is not null) flow.Paragraph(Messages.Detail("verify_revoked", ended.On), 13, bold: true, PdfAlign.Center);
        flow.Space(8);
        flow.Paragraph(Messages.Detail("certificate_statement", certificate.VolunteerName, certificate.VolunteerNumber, certificate.From, certificate.To,
            certificate.Organization, certificate.PersonTimes, Hours(certificate.Minutes)), 12);
        flow.Space(4);
        if (certificate.Purpose is { } purpose) flow.Paragraph(Labelled("certificate_purpose", purpose));
        if (certificate.ReplacesNumber is { } replaced) flow.Paragraph(Labelled("certificate_replaces", replaced));
        flow.Space(10);
    }

    private void Totals(PdfFlow flow) => flow.Table(
        [
            new(Messages.Title("report_evidence"), 3), new(Messages.Title("certificate_person_times"), 1, PdfAlign.Right),
            new(Messages.Title("certificate_hours"), 1, PdfAlign.Right),
        ],
        certificate.ByEvidence.Select(e => (string[])[Messages.Title("certificate_evidence_" + Word(e.Evidence)), Count(e.PersonTimes), Hours(e.Minutes)]),
        [Messages.Title("report_total"), Count(certificate.PersonTimes), Hours(certificate.Minutes)]);

    private void Lines(PdfFlow flow)
    {
        var byMonth = certificate.LinesAre == CertificateLines.Months;
        string[] total = [Messages.Title("report_total"), .. Enumerable.Repeat("", byMonth ? 0 : 4), Count(certificate.PersonTimes), Hours(certificate.Minutes)];
        PdfColumn[] figures = [new(Messages.Title("certificate_times"), 0.8, PdfAlign.Right), new(Messages.Title("certificate_line_hours"), 1, PdfAlign.Right)];
        if (byMonth)
            flow.Table([new(Messages.Title("report_month"), 4), .. figures],
                certificate.Lines.Select(line => (string[])[line.Date.ToString("yyyy-MM", CultureInfo.InvariantCulture), Count(line.PersonTimes), Hours(line.Minutes)]), total);
        else
            flow.Table(
                [
                    new(Messages.Title("certificate_date"), 1.5), new(Messages.Title("certificate_service"), 4), new(Messages.Title("certificate_place"), 2),
                    new(Messages.Title("certificate_organizer"), 2.2), new(Messages.Title("report_evidence"), 1.4), .. figures,
                ],
                certificate.Lines.Select(line => (string[])
                [
                    Day(line.Date), Lines(line.Activity + (line.Category is null ? "" : $" ({line.Category})"), line.Content), line.Place ?? "",
                    Lines(line.Team, line.PersonInCharge), Messages.Title("report_evidence_" + Word(line.Evidence!.Value)), Count(line.PersonTimes), Hours(line.Minutes),
                ]), total, size: 8);
    }

    /// <summary>Who answers for it, where its seal goes, and how it is verified: never torn apart.</summary>
    private void Foot(PdfFlow flow)
    {
        var left = flow.Left;
        var statements = new (string Label, string? Value)[]
        {
            ("certificate_organization", certificate.Organization), ("certificate_supervising", certificate.SupervisingOrganization),
            ("certificate_responsible", certificate.ResponsiblePerson ?? ByHand), ("certificate_contact", certificate.Contact ?? ByHand),
            ("certificate_issued_by", certificate.IssuedByName ?? Messages.Title("certificate_drawn_by_volunteer")), ("certificate_issued_on", Day(certificate.IssuedOn)),
        }.Where(statement => statement.Value is not null)
            .SelectMany(statement => PdfText.Wrap(Labelled(statement.Label, statement.Value!), 10, flow.Width - SealSize - 20)).ToList();
        var verification = new (string Text, double Size)[]
        {
            (Messages.Title("certificate_verify"), 9), (Labelled("verify_code", TypedCode.InGroups(certificate.Code)), 10), (verifyUrl, 8),
        }.SelectMany(part => PdfText.Wrap(part.Text, part.Size, flow.Width - QrSize - 14).Select(line => (Line: line, part.Size))).ToList();
        var above = Math.Max(statements.Count * StatementHeight, SealSize);
        var below = Math.Max(verification.Sum(part => part.Size * 1.6) + 12, QrSize);

        flow.Need(above + below + 14);
        flow.Space(4);
        var (page, top) = (flow.Page, flow.Y);
        foreach (var (at, line) in statements.Index()) page.Text(left, top + 10.8 + (at * StatementHeight), line, 10);
        Seal(page, left + flow.Width - SealSize, top);

        flow.Space(above + 10);
        Qr(page, left, flow.Y);
        var baseline = flow.Y + 12;
        foreach (var (line, size) in verification)
        {
            page.Text(left + QrSize + 14, baseline, line, size);
            baseline += size * 1.6;
        }
        flow.Space(below);
    }

    private static void Seal(PdfPage page, double x, double y)
    {
        foreach (var (fromX, fromY, toX, toY) in new[] { (0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0) })
            page.Line(x + (fromX * SealSize), y + (fromY * SealSize), x + (toX * SealSize), y + (toY * SealSize), 0.4, 0.7);
        page.Text(x + (SealSize / 2), y + (SealSize / 2) + 4, Messages.Title("certificate_seal"), 10, align: PdfAlign.Center, grey: 0.6);
    }

    private void Qr(PdfPage page, double x, double y)
    {
        using var data = QRCodeGenerator.GenerateQrCode(verifyUrl, QRCodeGenerator.ECCLevel.M);
        // The matrix brings its quiet zone with it.
        page.Matrix(x, y, QrSize, data.ModuleMatrix.Count, (row, column) => data.ModuleMatrix[row][column]);
    }

    private static string Labelled(string label, string value) => Messages.Title(label) + (Languages.IsChinese ? "：" : ": ") + value;

    private static string Lines(string? first, string? second) => second is null ? first ?? "" : $"{first}\n{second}";

    private static string Hours(long minutes) => HourFigures.InHours(minutes).ToString("N2", CultureInfo.InvariantCulture);

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Word(Evidence evidence) => evidence.ToString().ToLowerInvariant();
}
