using System.Globalization;
using QRCoder;
using Volunteers.Features.Hours;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Platform.Pdf;

namespace Volunteers.Features.Certificates;

/// <summary>Draws a certificate on A4 in one language, its heading in both: the same certificate gives the same page for ever, but for its status.</summary>
internal sealed class CertificatePdf(Certificate certificate, CertificateEnding? ending, string verifyUrl)
{
    private const double QrSize = 84, SealSize = 110;

    private static readonly CultureInfo Chinese = CultureInfo.GetCultureInfo("zh-CN");
    private static readonly CultureInfo English = CultureInfo.GetCultureInfo("en");

    public static byte[] Draw(Certificate certificate, CertificateEnding? ending, string verifyUrl, string language)
    {
        var before = CultureInfo.CurrentUICulture;
        // Texts come in the language of the request; here that is the certificate's.
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
        try
        {
            return new CertificatePdf(certificate, ending, verifyUrl).Draw(language);
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    private byte[] Draw(string language)
    {
        var file = new PdfFile($"{Messages.Title("certificate_title")} {certificate.Number}", certificate.Organization, language);
        var flow = new PdfFlow(file);
        Head(flow);
        Totals(flow);
        Lines(flow);
        Foot(flow);
        flow.Footer($"{certificate.Number} · {certificate.Organization} · {Messages.Title("certificate_no_commercial_use")}",
            (page, pages) => Messages.Detail("certificate_page", page, pages));
        return file.ToArray();
    }

    private void Head(PdfFlow flow)
    {
        var (own, other) = CultureInfo.CurrentUICulture.Equals(Chinese) ? (Chinese, English) : (English, Chinese);
        flow.Paragraph(Messages.TitleIn(own, "certificate_title"), 20, bold: true, PdfAlign.Center);
        flow.Paragraph(Messages.TitleIn(other, "certificate_title"), 12, align: PdfAlign.Center, grey: 0.3);
        flow.Space(6);
        flow.Paragraph($"{Messages.Title("certificate_number")} {certificate.Number}", 10, align: PdfAlign.Right);
        if (ending is { End: CertificateEnd.Revoked }) flow.Paragraph(Messages.Detail("verify_revoked", ending.At.UtcDateTime), 13, bold: true, PdfAlign.Center);
        if (ending is { End: CertificateEnd.Superseded }) flow.Paragraph(Messages.Detail("verify_superseded", ending.SuccessorNumber!), 13, bold: true, PdfAlign.Center);
        flow.Space(8);
        flow.Paragraph(Messages.Detail("certificate_statement", certificate.VolunteerName, certificate.VolunteerNumber, certificate.From, certificate.To,
            certificate.Organization, certificate.PersonTimes, Hours(certificate.Minutes)), 12);
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
        flow.Need(190);
        var top = flow.Y + 4;
        var (right, page) = (flow.Left + flow.Width, flow.Page);
        flow.Space(4);
        foreach (var (label, value) in new (string, string?)[]
        {
            ("certificate_organization", certificate.Organization), ("certificate_supervising", certificate.SupervisingOrganization),
            ("certificate_responsible", certificate.ResponsiblePerson), ("certificate_contact", certificate.Contact),
            ("certificate_issued_by", certificate.IssuedByName ?? Messages.Title("certificate_drawn_by_volunteer")), ("certificate_issued_on", Day(certificate.IssuedOn)),
        })
            if (value is not null)
                foreach (var line in PdfText.Wrap(Labelled(label, value), 10, flow.Width - SealSize - 20))
                {
                    page.Text(flow.Left, flow.Y + 10.8, line, 10);
                    flow.Space(14.5);
                }
        Seal(page, right - SealSize, top);

        var below = Math.Max(flow.Y, top + SealSize) + 10;
        Qr(page, flow.Left, below);
        var at = below + 12;
        foreach (var (text, size) in new[]
        {
            (Messages.Title("certificate_verify"), 9.0), (Labelled("verify_code", TypedCode.InGroups(certificate.Code)), 10), (verifyUrl, 8),
        })
            foreach (var line in PdfText.Wrap(text, size, flow.Width - QrSize - 14))
            {
                page.Text(flow.Left + QrSize + 14, at, line, size);
                at += size * 1.6;
            }
        flow.Space(below + QrSize - flow.Y);
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

    private static string Labelled(string label, string value) => Messages.Title(label) + (CultureInfo.CurrentUICulture.Equals(Chinese) ? "：" : ": ") + value;

    private static string Lines(string? first, string? second) => second is null ? first ?? "" : $"{first}\n{second}";

    private static string Hours(long minutes) => HourFigures.InHours(minutes).ToString("N2", CultureInfo.InvariantCulture);

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Word(Evidence evidence) => evidence.ToString().ToLowerInvariant();
}
